#include <iostream>

#include <fmt/format.h>

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "cli/diff_options.h"
#include "cli/git_driver.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/programs.h"
#include "cli/progress.h"
#include "cli/trajectory.h"
#include "diff/compat.h"
#include "diff/diff.h"
#include "diff/rules_doc.h"
#include "diff/to_report.h"
#include "report/exit_status.h"
#include "show/input.h"

namespace ckpt::cli {
namespace {

namespace po = boost::program_options;

const Program kProgram = {
    "ckpt-diff",
    "ckpt-diff [OPTION ...] BASE FILE [FILE ...]\n"
    "       ckpt-diff --trajectory [OPTION ...] FILE|FOLDER ...",
    "Compares checkpoints: keys, shapes, dtypes, every element of every tensor, optimizers,\n"
    "schedulers, callbacks, progress and hyperparameters. Explains simple causes (renamed,\n"
    "cast, transposed, permuted, scaled) and says whether a file can replace the base.\n"
    "Every FILE is compared with BASE. A FILE may also be REV:PATH as in git, or - for\n"
    "standard input. --trajectory follows a run instead: how its weights, learning rates and\n"
    "scores went from one checkpoint to the next.",
    "Examples:\n"
    "  ckpt-diff epoch=1.ckpt epoch=4.ckpt\n"
    "  ckpt-diff --only 'encoder.**' --atol 1e-6 base.ckpt tuned.ckpt\n"
    "  ckpt-diff --compat resume yesterday.ckpt today.ckpt\n"
    "  ckpt-diff HEAD~1:model.ckpt model.ckpt\n"
    "  ckpt-diff run.ckpt#state_dict.encoder encoder.pt\n"
    "  ckpt-diff --trajectory run/checkpoints\n"
    "  ckpt-diff --format json a.ckpt b.ckpt | jq '.changes[] | select(.kind == \"shape\")'\n"
    "\n"
    "Exit status: 0 same (with --compat: compatible), 1 different (with --compat: not\n"
    "compatible), 2 usage error or unreadable file (wins over 1). A trajectory is a view,\n"
    "not a test: 0, or 2.\n",
    true,
    "--git",
};

int trouble_of(const diff::Diff& diff, std::span<const OpenedPtr> inputs) {
  int status = kClean;
  for (const diff::NotCompared& item : diff.not_compared) {
    if (!item.trouble) continue;
    complain(kProgram.name, diff.sides[item.input].input->path,
             fmt::format("{} could not be compared: at least one file has unreadable elements", item.path));
    status = kTrouble;
    break;
  }
  for (const OpenedPtr& input : inputs) status = worse(status, check_unchanged(kProgram.name, *input));
  return status;
}

struct Inputs {
  std::vector<OpenedPtr> all;
  std::vector<const Opened*> readable;
  int status = kClean;
};

// Readable inputs come first in the report: changes refer to them by index.
Inputs open_inputs(DiffCommand& command, report::Report& report) {
  Inputs out;
  std::vector<report::Input> failed;
  std::vector<std::string> subtrees;
  out.all = open_and_complain(kProgram.name, command.files, command.options.jobs, command.files);
  for (std::size_t i = 0; i < command.files.size(); ++i) {
    const Opened& input = *out.all[i];
    const auto role = i == 0 ? report::Role::kBase : report::Role::kTarget;
    out.status = worse(out.status, show::status_of(input));
    if (!input.file) {
      failed.push_back(show::describe_input(input, role));
      continue;
    }
    out.readable.push_back(&input);
    report.inputs.push_back(show::describe_input(input, role));
    if (!command.options.names.subtrees.empty()) subtrees.push_back(command.options.names.subtrees[i]);
  }
  report.inputs.insert(report.inputs.end(), failed.begin(), failed.end());
  command.options.names.subtrees = std::move(subtrees);
  return out;
}

std::shared_ptr<const diff::Diff> compare_with_progress(const Inputs& inputs, const diff::Options& options) {
  const Progress progress;
  return std::make_shared<const diff::Diff>(diff::compare(inputs.readable, options));
}

// Nothing could be compared. Programs still get a document that says so; people see it on stderr.
int report_failure(const Inputs& inputs, const Parsed& parsed, report::Report& report) {
  report.rules = diff::change_rules();
  report.exit_status = kTrouble;
  report.exit_reason = "Fewer than two checkpoints could be read.";
  if (!inputs.all[0]->file) report.exit_reason = "The base could not be read.";
  report.facts.push_back({"verdict", "unknown"});
  report.tables.push_back({"changes", 0, [](std::size_t) { return report::Object{}; }});
  write_failure(report, parsed.output);
  return kTrouble;
}

int verdict_status(const diff::Diff& diff, const diff::Compatibility* compat,
                   const diff::ReportOptions& options) {
  if (options.gate && compat != nullptr) {
    // A gate that has nothing to judge must not pass.
    const bool open = !compat->judged(*options.gate) && *options.gate != diff::Profile::kResume;
    return open ? kTrouble : compat->holds(*options.gate) ? kClean : kFound;
  }
  return diff.different() ? kFound : kClean;
}

int explain(const std::string& word) {
  const std::string text = diff::explain(word);
  if (text.empty())
    fail(ErrorCode::kUsage,
         fmt::format("unknown rule, kind, profile or part {}{}; run ckpt-diff --list-rules for a list",
                     quote(word), did_you_mean(word, diff::explained_words())));
  std::cout << text;
  return kClean;
}

}  // namespace

int run_diff(int argc, const char* const* argv) {
  const auto parsed = parse(kProgram, diff_option_groups(), argc, argv);
  if (!parsed) return kClean;
  if (parsed->values.count("list-rules") != 0) {
    std::cout << diff::list_rules();
    return kClean;
  }
  if (parsed->values.count("explain") != 0) return explain(parsed->values["explain"].as<std::string>());
  if (parsed->values.count("git-setup") != 0) return print_git_setup();
  if (parsed->values.count("git") != 0) return compare_for_git(*parsed);
  if (parsed->values.count("trajectory") != 0) return run_trajectory(kProgram.name, *parsed);
  if (parsed->operands.size() < 2)
    fail(ErrorCode::kUsage, "expected a BASE and at least one FILE to compare; see --help");
  DiffCommand command = diff_command(*parsed);

  report::Report report;
  report.tool = {kProgram.name, CKPT_VERSION, "Compares checkpoints."};
  report.arguments = parsed->arguments;
  const Inputs inputs = open_inputs(command, report);
  if (!inputs.all[0]->file || inputs.readable.size() < 2) return report_failure(inputs, *parsed, report);

  command.options.pictures = command.report.pictures = wants_pictures(parsed->output);
  command.report.jobs = parsed->jobs;
  const auto diff = compare_with_progress(inputs, command.options);
  check_filters(*diff, command.options);
  std::optional<diff::Compatibility> compat;
  if (is_whole(command.options)) compat = diff::judge(*diff);
  command.report.findings = wants_findings(parsed->output);
  diff::to_report(diff, compat ? &*compat : nullptr, command.report, report);
  const int found = verdict_status(*diff, compat ? &*compat : nullptr, command.report);
  const int status = worse(inputs.status, worse(found, trouble_of(*diff, inputs.all)));
  report.exit_status = status;
  report.exit_reason = diff->different() ? "The checkpoints differ." : "The checkpoints are the same.";
  write_reports(report, parsed->output);
  return status;
}

}  // namespace ckpt::cli
