#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/git_driver.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/programs.h"
#include "cli/progress.h"
#include "lint/find_inputs.h"
#include "report/exit_status.h"
#include "show/input.h"
#include "show/to_report.h"

namespace ckpt::cli {
namespace {

namespace po = boost::program_options;

const Program kProgram = {
    "ckpt-show",
    "ckpt-show [OPTION ...] FILE [FILE ...] [PATTERN]",
    "Shows what is inside a PyTorch Lightning or plain PyTorch checkpoint, without Python and\n"
    "without executing its pickle: where the training stands, what is stored, the weights by\n"
    "module. Several files, or a folder of them, become a table with a row each.\n"
    "PATTERN selects tensors and values by a prefix or a glob of names or paths, or by one word\n"
    "of them: 'encoder', 'encoder.**', 'optimizer_states[*].param_groups[*].lr', 'lr'.",
    "Examples:\n"
    "  ckpt-show model.ckpt\n"
    "  ckpt-show model.ckpt lr\n"
    "  ckpt-show --stats model.ckpt 'encoder.**'\n"
    "  ckpt-show runs/                                   # all checkpoints below, a row each\n"
    "  ckpt-show -p lr -p global_step runs/*.ckpt\n"
    "  ckpt-show --format json --stats --digest model.ckpt > model.json\n"
    "\n"
    "Exit status: 0 success, 2 usage error or unreadable file.\n",
    false,
    "--textconv",
};

using Inputs = std::vector<OpenedPtr>;

struct Command {
  std::vector<std::string> typed;
  std::vector<std::string> files;  // of `typed`, also in folders
  show::Options options;
};

// An operand after the first that is no file and does not look like one is a pattern.
bool is_pattern(const std::string& operand) {
  std::error_code ignored;
  if (std::filesystem::exists(operand, ignored)) return false;
  const bool revision = operand.find(':') != operand.npos && operand.find('[') == operand.npos;  // HEAD:folder
  return operand.find('/') == operand.npos && !lint::is_model_name(operand) && operand != "-" && !revision;
}

Command command_of(const Parsed& parsed) {
  if (parsed.operands.empty()) fail(ErrorCode::kUsage, "expected a FILE; see --help");
  Command out;
  out.options.patterns = list_of(parsed, "pattern");
  std::vector<std::string> operands = parsed.operands;
  if (operands.size() > 1 && is_pattern(operands.back())) {
    out.options.patterns.push_back(operands.back());
    operands.pop_back();
  }
  out.typed = operands;
  const lint::Found found = lint::find_inputs(operands);
  if (!found.no_match.empty())
    fail(ErrorCode::kUsage, fmt::format("{}: {}", found.no_match.front().what, found.no_match.front().text));
  for (const lint::Input& input : found.inputs) out.files.push_back(input.path);
  out.options.all = parsed.values.count("all") != 0;
  out.options.stats = parsed.values.count("stats") != 0;
  out.options.digest = parsed.values.count("digest") != 0;
  out.options.pictures = wants_pictures(parsed.output);
  out.options.jobs = parsed.jobs;
  return out;
}

// Those that can be read; the others are named on stderr and in the report.
Inputs open_inputs(const Command& command, report::Report& report, int& status) {
  Inputs readable;
  std::vector<report::Input> failed;
  for (const OpenedPtr& input :
       open_and_complain(kProgram.name, command.files, command.options.jobs, command.typed)) {
    status = worse(status, show::status_of(*input));
    report::Input described = show::describe_input(*input, report::Role::kTarget);
    if (!input->file) {
      failed.push_back(std::move(described));
      continue;
    }
    readable.push_back(input);
    report.inputs.push_back(std::move(described));
  }
  report.inputs.insert(report.inputs.end(), failed.begin(), failed.end());
  return readable;
}

}  // namespace

int run_show(int argc, const char* const* argv) {
  OptionGroup own("Options");
  own.add_options()("all,a", "list every tensor, value and import in a line of its own")(
      "stats,s", "show min, max, mean, std, NaN and Inf of the tensors (reads all data)")(
      "digest", "add the SHA-256 of every tensor's elements (JSON only; reads all data)")(
      "pattern,p", po::value<std::vector<std::string>>()->value_name("PATTERN"),
      "show what PATTERN selects; repeatable, for any number of files")(
      "textconv",
      "print FILE as lines that git can compare, whatever it is called; ends with 0 (see "
      "ckpt-diff --git-setup)");
  const auto parsed = parse(kProgram, {own}, argc, argv);
  if (!parsed) return kClean;
  if (parsed->values.count("textconv") != 0) return print_for_git(*parsed);
  const Command command = command_of(*parsed);
  report::Report report;
  report.tool = {kProgram.name, CKPT_VERSION, "Shows what is inside a checkpoint."};
  report.arguments = parsed->arguments;
  int status = kClean;
  const Inputs inputs = open_inputs(command, report, status);
  if (inputs.empty()) return kTrouble;
  {
    const Progress progress;
    for (const show::Unmatched& one : show::to_report(inputs, command.options, report)) {
      complain(kProgram.name, inputs.size() == 1 ? inputs[0]->path : "",
               fmt::format("nothing matches the pattern '{}'{}", one.pattern, one.hint));
      status = kTrouble;
    }
  }
  report.exit_status = status;
  write_reports(report, parsed->output);
  for (const OpenedPtr& input : inputs) status = worse(status, check_unchanged(kProgram.name, *input));
  return status;
}

}  // namespace ckpt::cli
