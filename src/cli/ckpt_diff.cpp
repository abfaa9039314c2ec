#include <cmath>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/exit_status.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/programs.h"
#include "diff/diff.h"
#include "diff/to_report.h"

namespace ckpt::cli {
namespace {

namespace po = boost::program_options;

const Program kProgram = {
    "ckpt-diff",
    "ckpt-diff [OPTION ...] BASE FILE [FILE ...]",
    "Says what differs between checkpoints: keys, shapes, dtypes, every element of every\n"
    "tensor, hyperparameters, optimizers, schedulers, callbacks, progress. The first file is\n"
    "the base of all comparisons.\n",
    "Examples:\n"
    "  ckpt-diff epoch=1.ckpt epoch=4.ckpt\n"
    "  ckpt-diff --only 'encoder.**' --atol 1e-6 base.ckpt tuned.ckpt\n"
    "  ckpt-diff --format json a.ckpt b.ckpt | jq '.changes[] | select(.kind == \"shape\")'\n"
    "\n"
    "Exit status: 0 same, 1 different, 2 usage error or unreadable file (2 wins).\n",
};

double tolerance(const Parsed& parsed, const char* name) {
  if (parsed.values.count(name) == 0) return 0;
  const double value = parsed.values[name].as<double>();
  if (!std::isfinite(value) || value < 0)
    fail(ErrorCode::kUsage, fmt::format("--{} takes a number >= 0", name));
  return value;
}

std::vector<Glob> globs(const Parsed& parsed, const char* name) {
  std::vector<Glob> out;
  for (const std::string& pattern : list_of(parsed, name)) out.emplace_back(pattern);
  return out;
}

diff::Options diff_options(const Parsed& parsed) {
  diff::Options options;
  options.tolerance = {tolerance(parsed, "rtol"), tolerance(parsed, "atol")};
  options.only = globs(parsed, "only");
  options.ignore = globs(parsed, "ignore");
  options.jobs = parsed.jobs;
  return options;
}

// Fails early on a filter that selects nothing: a comparison of nothing must not say "same".
void check_filters(const diff::Diff& diff, const diff::Options& options) {
  if (options.only.empty()) return;
  for (const Glob& glob : options.only) {
    bool found = false;
    for (const diff::Side& side : diff.sides) {
      const auto matches = [&](const std::string& path) {
        const auto name = lightning::weight_name(side.input->items, path);
        return matches_prefix_or_glob(glob, path) || (name && matches_prefix_or_glob(glob, *name));
      };
      for (const TensorEntry& entry : side.file().entries) found = found || matches(entry.path);
      for (const Leaf& leaf : side.leaves) found = found || matches(leaf.path);
    }
    if (!found) fail(ErrorCode::kUsage, fmt::format("--only {} matches nothing in any of the files", quote(glob.pattern())));
  }
}

int trouble_of(const diff::Diff& diff, std::span<const OpenedPtr> inputs) {
  int status = kClean;
  for (const diff::NotCompared& item : diff.not_compared) {
    if (!item.trouble) continue;
    complain(kProgram.name, diff.sides[item.input].input->path,
             fmt::format("{} could not be compared: its elements cannot be read in both files", item.path));
    status = kTrouble;
    break;
  }
  for (const OpenedPtr& input : inputs) status = worse(status, check_unchanged(kProgram.name, *input));
  return status;
}

}  // namespace

int run_diff(int argc, const char* const* argv) {
  po::options_description own("Options", 90);
  own.add_options()
      ("rtol", po::value<double>()->value_name("R"), "equal if |new - base| <= atol + R * |base| (default: 0, exact)")
      ("atol", po::value<double>()->value_name("A"), "likewise (default: 0)")
      ("only", po::value<std::vector<std::string>>()->value_name("GLOB"),
       "compare only what matches: tensor names or paths; may be repeated")
      ("ignore", po::value<std::vector<std::string>>()->value_name("GLOB"), "leave out what matches; may be repeated")
      ("all,a", "every line of every section");
  const auto parsed = parse(kProgram, own, argc, argv);
  if (!parsed) return kClean;
  if (parsed->operands.size() < 2) fail(ErrorCode::kUsage, "expected a BASE and at least one FILE to compare; see --help");

  std::vector<OpenedPtr> inputs;
  std::vector<const Opened*> readable;
  report::Report report;
  report.tool = {kProgram.name, CKPT_VERSION, "Compares checkpoints."};
  report.arguments = parsed->arguments;
  int status = kClean;
  std::vector<report::Input> failed;  // after the readable ones: changes refer to those by index
  for (const std::string& path : parsed->operands) {
    inputs.push_back(open_and_complain(kProgram.name, path));
    const auto role = inputs.size() == 1 ? report::Role::kBase : report::Role::kTarget;
    status = worse(status, status_of(*inputs.back()));
    if (!inputs.back()->file) {
      failed.push_back(describe_input(*inputs.back(), role));
      continue;
    }
    readable.push_back(inputs.back().get());
    report.inputs.push_back(describe_input(*inputs.back(), role));
  }
  if (!inputs[0]->file || readable.size() < 2) return kTrouble;
  report.inputs.insert(report.inputs.end(), failed.begin(), failed.end());

  const diff::Options options = diff_options(*parsed);
  const auto diff = std::make_shared<const diff::Diff>(diff::compare(readable, options));
  check_filters(*diff, options);
  diff::to_report(diff, {parsed->values.count("all") != 0, wants_findings(parsed->output)}, report);
  status = worse(status, worse(diff->different() ? kFound : kClean, trouble_of(*diff, inputs)));
  report.exit_status = status;
  report.exit_reason = diff->different() ? "The checkpoints differ." : "The checkpoints are the same.";
  write_reports(report, parsed->output);
  return status;
}

}  // namespace ckpt::cli
