#include <iostream>

#include <fmt/format.h>

#include "base/date.h"
#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "cli/inputs.h"
#include "cli/lint_test.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/programs.h"
#include "cli/progress.h"
#include "files/write_file.h"
#include "lint/config_entries.h"
#include "lint/configs.h"
#include "lint/find_inputs.h"
#include "lint/manifest.h"
#include "lint/print_config.h"
#include "lint/rule_set.h"
#include "lint/rules_doc.h"
#include "lint/run.h"
#include "report/exit_status.h"
#include "show/input.h"

namespace ckpt::cli {
namespace {

namespace po = boost::program_options;
using lint::ProfileSetting;
using report::Level;

const Program kProgram = {
    "ckpt-lint",
    "ckpt-lint [OPTION ...] FILE|FOLDER|PATTERN [...]",
    "Says whether checkpoints can be trusted: runs validation rules over the weights, the\n"
    "optimizer, scheduler and loop states, the hyperparameters, the container and the pickle\n"
    "(which is never executed).\n"
    "\n"
    "A folder stands for the checkpoints in it and below it (.ckpt .pt .pth .bin .safetensors\n"
    "...), a pattern for the files that it matches ('runs/**/last.ckpt'). Without --rules each\n"
    "file is judged by the nearest .ckpt-lint.yaml in its folder or above, up to the folder\n"
    "with .git in it, else by the built-in recommended rules. Use --no-config for files whose\n"
    "folder you do not trust.",
    "Examples:\n"
    "  ckpt-lint model.ckpt\n"
    "  ckpt-lint --rules strict.yaml --report sarif=ckpt.sarif model.ckpt\n"
    "  ckpt-lint --against base.ckpt --profile inference model.ckpt\n"
    "  ckpt-lint --baseline known.json runs/\n"
    "  ckpt-lint --explain weights-nonfinite\n"
    "\n"
    "Exit status: 0 no finding at or above --fail-on, 1 findings, 2 usage error, broken rules\n"
    "file or unreadable input (2 wins). Findings that are suppressed or in the baseline do not\n"
    "count.\n",
};

std::optional<std::string> text_option(const Parsed& parsed, const char* name) {
  if (parsed.values.count(name) == 0) return std::nullopt;
  return parsed.values[name].as<std::string>();
}

bool has(const Parsed& parsed, const char* name) { return parsed.values.count(name) != 0; }

std::optional<Level> fail_level(const Parsed& parsed) {
  const std::string text = text_option(parsed, "fail-on").value_or("error");
  if (text == "error") return Level::kError;
  if (text == "warning") return Level::kWarning;
  if (text == "note") return Level::kNote;
  if (text == "never") return std::nullopt;
  const std::vector<std::string> names = {"error", "warning", "note", "never"};
  fail(ErrorCode::kUsage, fmt::format("--fail-on takes error, warning, note or never, not {}{}", quote(text),
                                      did_you_mean(text, names)));
}

std::optional<ProfileSetting> profile_option(const Parsed& parsed) {
  const auto text = text_option(parsed, "profile");
  if (!text) return std::nullopt;
  if (const auto setting = lint::parse_profile(*text)) return setting;
  const std::vector<std::string> names = {"resume", "inference", "any", "auto"};
  fail(ErrorCode::kUsage, fmt::format("--profile takes resume, inference, any or auto, not {}{}",
                                      quote(*text), did_you_mean(*text, names)));
}

std::string today(const Parsed& parsed) {
  const auto text = text_option(parsed, "today");
  if (!text) return today_utc();
  if (!is_date(*text))
    fail(ErrorCode::kUsage, fmt::format("--today takes a day as 2026-10-01, not {}", quote(*text)));
  return *text;
}

lint::Configs configs_of(const Parsed& parsed) {
  return lint::Configs(text_option(parsed, "rules"), !has(parsed, "no-config"));
}

const std::string& one_operand(const Parsed& parsed, std::string_view option) {
  if (parsed.operands.size() != 1)
    fail(ErrorCode::kUsage, fmt::format("{} takes exactly one FILE; see --help", option));
  return parsed.operands.front();
}

lint::Settings settings_of(const Parsed& parsed) {
  lint::Settings settings;
  settings.against = text_option(parsed, "against");
  settings.profile = profile_option(parsed);
  settings.fail_on = fail_level(parsed);
  settings.baseline = text_option(parsed, "baseline");
  settings.update_baseline = has(parsed, "update-baseline");
  if (settings.update_baseline && !settings.baseline)
    fail(ErrorCode::kUsage, "--update-baseline needs --baseline FILE, which it writes");
  settings.today = today(parsed);
  settings.jobs = parsed.jobs;
  return settings;
}

lint::Result lint_with_progress(const std::vector<lint::Input>& inputs, lint::Configs& configs,
                                lint::Settings settings) {
  Progress progress(inputs.size());
  settings.judged = [&](const std::string& path) { progress.done(path); };
  return lint::lint_files(inputs, configs, settings);
}

void write_baseline(const std::string& path, const lint::Result& result) {
  protect_inputs(path, result.report.inputs);
  if (result.new_baseline)
    write_file(path, *result.new_baseline);
  else
    complain(kProgram.name, path, "this baseline is left as it is: not all inputs could be read");
}

int lint_operands(const Parsed& parsed) {
  if (parsed.operands.empty()) fail(ErrorCode::kUsage, "expected at least one FILE; see --help");
  const lint::Settings settings = settings_of(parsed);
  lint::Configs configs = configs_of(parsed);
  lint::Result result = lint_with_progress(lint::find_inputs(parsed.operands), configs, settings);
  for (const lint::Complaint& one : result.complaints) complain(kProgram.name, one.path, one.text);
  if (settings.update_baseline) write_baseline(*settings.baseline, result);
  result.report.arguments = parsed.arguments;
  write_reports(result.report, parsed.output);
  return result.report.exit_status;
}

// --- what looks at rules and not at checkpoints --------------------------------------------------------

int explain(const std::string& id, const Parsed& parsed) {
  lint::Configs configs = configs_of(parsed);
  std::vector<std::string> ids;
  for (const lint::Rule& rule : configs.for_folder(".").rules->rules) {
    ids.push_back(rule.info.id);
    if (rule.info.id != id) continue;
    std::cout << lint::explain_rule(rule);
    return kClean;
  }
  fail(ErrorCode::kUsage,
       fmt::format("no rule {}{}; ckpt-lint --list-rules shows all", quote(id), did_you_mean(id, ids)));
}

int print_config(const Parsed& parsed) {
  lint::Configs configs = configs_of(parsed);
  lint::PrintedConfig about;
  if (!parsed.operands.empty()) about.checkpoint = one_operand(parsed, "--print-config");
  const lint::Configs::Choice choice =
      about.checkpoint.empty() ? configs.for_folder(".") : configs.for_file(about.checkpoint);
  about.discovered = choice.discovered;
  about.profile = choice.rules->profile.value_or(ProfileSetting::kResume);
  about.profile_origin = choice.rules->profile_origin;
  if (const auto setting = profile_option(parsed)) {
    about.profile = *setting;
    about.profile_origin = "--profile";
  }
  std::cout << lint::print_config(*choice.rules, about);
  return kClean;
}

int write_manifest(const std::string& target, const Parsed& parsed) {
  const std::string& path = one_operand(parsed, "--write-manifest");
  const OpenedPtr input = open_and_complain(kProgram.name, path);
  if (show::status_of(*input) != kClean) return kTrouble;
  const auto entries = lint::manifest_of(*input);
  if (entries.empty())
    fail(ErrorCode::kUsage, fmt::format("{}: there are no weights to write a manifest of", one_line(path)));
  const std::string text = lint::manifest_text(entries);
  if (check_unchanged(kProgram.name, *input) != kClean) return kTrouble;
  if (target != "-") protect_inputs(target, {show::describe_input(*input, report::Role::kTarget)});
  if (target == "-")
    std::cout << text;
  else
    write_file(target, text);
  return kClean;
}

po::options_description options() {
  po::options_description rules("Rules", 90);
  rules.add_options()("rules,r", po::value<std::string>()->value_name("NAME|PATH"),
                      "the rule set: a file, or a built-in one: recommended (default), strict")(
      "no-config", "do not look for .ckpt-lint.yaml")(
      "profile", po::value<std::string>()->value_name("PROFILE"),
      "what the files are for: resume (default; training state must be there), inference (it need not), any "
      "(a note), "
      "auto (resume if any training state is there)")(
      "today", po::value<std::string>()->value_name("DATE"),
      "the day by which suppressions expire, as 2026-10-01 (default: today in UTC)");
  po::options_description gate("Gate", 90);
  gate.add_options()("against", po::value<std::string>()->value_name("BASE"),
                     "a base checkpoint for the rules that compare two (cross-*)")(
      "fail-on", po::value<std::string>()->value_name("LEVEL"),
      "status 1 from this level on: error (default), warning, note, never")(
      "baseline", po::value<std::string>()->value_name("FILE"),
      "a JSON or SARIF report of an earlier run: what it has does not fail again")(
      "update-baseline", "write the findings of this run to the file of --baseline");
  po::options_description about("Instead of judging files", 90);
  about.add_options()("explain", po::value<std::string>()->value_name("RULE"),
                      "what a rule finds, why it matters and what to do")(
      "list-rules", "all rules with their options, as --rules or the config of this folder has them")(
      "print-config",
      "the rules for FILE (without one: of this folder) as a rule file, with the origin of every setting")(
      "write-manifest", po::value<std::string>()->value_name("MANIFEST"),
      "record the keys, shapes and dtypes of FILE for the check manifest; - is standard output")(
      "test", po::value<std::string>()->value_name("RULES"),
      "run the tests of a rule file: status 1 if one fails");
  po::options_description own;
  own.add(rules).add(gate).add(about);
  return own;
}

// What would be passed over in silence is refused.
void check_action(const Parsed& parsed) {
  std::string_view action;
  for (const char* name : {"explain", "list-rules", "print-config", "write-manifest", "test"}) {
    if (!has(parsed, name)) continue;
    if (!action.empty())
      fail(ErrorCode::kUsage, fmt::format("--{} and --{} exclude each other; see --help", action, name));
    action = name;
  }
  if (action.empty()) return;
  const bool takes_file = action == "print-config" || action == "write-manifest";
  if (!takes_file && !parsed.operands.empty())
    fail(ErrorCode::kUsage, fmt::format("--{} judges no FILE, but here is {}; see --help", action,
                                        quote(parsed.operands.front())));
  if (action == "test" && has(parsed, "rules"))
    fail(ErrorCode::kUsage, "--test takes the rule file itself, without --rules");
}

}  // namespace

int run_lint(int argc, const char* const* argv) {
  const auto parsed = parse(kProgram, options(), argc, argv);
  if (!parsed) return kClean;
  check_action(*parsed);
  if (const auto id = text_option(*parsed, "explain")) return explain(*id, *parsed);
  if (const auto rules = text_option(*parsed, "test"))
    return test_rules(*rules, settings_of(*parsed), std::cout);
  if (const auto target = text_option(*parsed, "write-manifest")) return write_manifest(*target, *parsed);
  if (has(*parsed, "print-config")) return print_config(*parsed);
  if (has(*parsed, "list-rules")) {
    lint::Configs configs = configs_of(*parsed);
    std::cout << lint::list_rules(*configs.for_folder(".").rules);
    return kClean;
  }
  return lint_operands(*parsed);
}

}  // namespace ckpt::cli
