#include <fmt/format.h>

#include "base/error.h"
#include "base/glob.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/programs.h"
#include "cli/progress.h"
#include "report/exit_status.h"
#include "show/input.h"
#include "show/to_report.h"

namespace ckpt::cli {
namespace {

namespace po = boost::program_options;

const Program kProgram = {
    "ckpt-show",
    "ckpt-show [OPTION ...] FILE [PATTERN]",
    "Shows what is inside a PyTorch Lightning or plain PyTorch checkpoint, without Python and\n"
    "without executing its pickle. PATTERN selects tensors and values by a prefix or a glob\n"
    "of names or paths: 'encoder', 'encoder.**', 'optimizer_states[*].param_groups[*].lr'.",
    "Examples:\n"
    "  ckpt-show model.ckpt\n"
    "  ckpt-show --stats model.ckpt 'encoder.**'\n"
    "  ckpt-show --format json --stats --digest model.ckpt > model.json\n"
    "\n"
    "Exit status: 0 success, 2 usage error or unreadable file.\n",
    false,
};

report::Report make_report(const Parsed& parsed, const OpenedPtr& input) {
  report::Report report;
  report.tool = {kProgram.name, CKPT_VERSION, "Shows what is inside a checkpoint."};
  report.arguments = parsed.arguments;
  report.inputs.push_back(show::describe_input(*input, report::Role::kTarget));
  show::Options options;
  if (parsed.operands.size() == 2) options.pattern.emplace(parsed.operands[1]);
  options.stats = parsed.values.count("stats") != 0;
  options.digest = parsed.values.count("digest") != 0;
  options.jobs = parsed.jobs;
  const Progress progress;
  show::to_report(input, options, report);
  return report;
}

bool shows_nothing(const report::Report& report) {
  for (const report::Table& table : report.tables)
    if (table.size > 0) return false;
  return true;
}

}  // namespace

int run_show(int argc, const char* const* argv) {
  po::options_description own("Options", 90);
  own.add_options()("stats,s", "show min, max, mean, std, NaN and Inf of every tensor (reads all data)")(
      "digest", "add the SHA-256 of every tensor's elements (JSON only; reads all data)");
  const auto parsed = parse(kProgram, own, argc, argv);
  if (!parsed) return kClean;
  if (parsed->operands.empty() || parsed->operands.size() > 2)
    fail(ErrorCode::kUsage, "expected one FILE and at most one PATTERN; see --help");
  const OpenedPtr input = open_and_complain(kProgram.name, parsed->operands[0]);
  if (!input->file) return kTrouble;
  report::Report report = make_report(*parsed, input);
  int status = show::status_of(*input);
  if (parsed->operands.size() == 2 && shows_nothing(report)) {
    complain(kProgram.name, input->path,
             fmt::format("nothing matches the pattern '{}'", parsed->operands[1]));
    status = kTrouble;
  }
  report.exit_status = status;
  write_reports(report, parsed->output);
  return worse(status, check_unchanged(kProgram.name, *input));
}

}  // namespace ckpt::cli
