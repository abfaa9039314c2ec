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
    "Finds broken and unsafe checkpoints: checks the weights, the optimizer, scheduler and\n"
    "loop states, the hyperparameters, the container and the pickle (which is never executed).\n"
    "\n"
    "FOLDER means all checkpoints below it (.ckpt .pt .pth .bin .safetensors ...), PATTERN all\n"
    "files that match it ('runs/**/last.ckpt'). Without --rules, the nearest .ckpt-lint.yaml\n"
    "applies to each file, searched from its folder up to the one with .git; if there is none,\n"
    "the built-in recommended rules apply. Use --no-config in folders you do not trust.",
    "Examples:\n"
    "  ckpt-lint model.ckpt\n"
    "  ckpt-lint --rules strict.yaml --report sarif=ckpt.sarif model.ckpt\n"
    "  ckpt-lint --against base.ckpt --profile inference model.ckpt\n"
    "  ckpt-lint --baseline known.json runs/\n"
    "  ckpt-lint --explain weights-nonfinite\n"
    "\n"
    "Exit status: 0 no finding at or above --fail-on, 1 findings, 2 usage error, broken rule\n"
    "file or unreadable input (wins over 1). Suppressed findings and findings in the baseline\n"
    "do not count.\n",
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
    fail(ErrorCode::kUsage, fmt::format("--today takes a date such as 2026-10-01, not {}", quote(*text)));
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
  if (has(parsed, "map")) settings.maps = parsed.values["map"].as<std::vector<std::string>>();
  if (!settings.maps.empty() && !settings.against)
    fail(ErrorCode::kUsage, "--map needs --against BASE, the checkpoint whose weight names to match");
  settings.profile = profile_option(parsed);
  settings.fail_on = fail_level(parsed);
  settings.baseline = text_option(parsed, "baseline");
  settings.update_baseline = has(parsed, "update-baseline");
  if (settings.update_baseline && !settings.baseline)
    fail(ErrorCode::kUsage, "--update-baseline needs --baseline FILE, the file to write");
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
    complain(kProgram.name, path, "the baseline was not updated: some inputs could not be read");
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

// --- actions on rules instead of checkpoints ----------------------------------------------------------

int explain(const std::string& id, const Parsed& parsed) {
  lint::Configs configs = configs_of(parsed);
  std::vector<std::string> ids;
  for (const lint::Rule& rule : configs.for_folder(".").rules->rules) {
    ids.push_back(rule.info.id);
    if (rule.info.id != id) continue;
    std::cout << lint::explain_rule(rule);
    return kClean;
  }
  fail(ErrorCode::kUsage, fmt::format("unknown rule {}{}; run ckpt-lint --list-rules for a list", quote(id),
                                      did_you_mean(id, ids)));
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
    fail(ErrorCode::kUsage, fmt::format("{}: no weights to write a manifest of", one_line(path)));
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
                      "use this rule file, or a built-in set: recommended (default) or strict")(
      "no-config", "ignore .ckpt-lint.yaml files")(
      "profile", po::value<std::string>()->value_name("PROFILE"),
      "what the files are used for: resume (default; missing training state is an error), inference (it is "
      "fine), any (it is a note), auto (resume if the file has any training state)")(
      "today", po::value<std::string>()->value_name("DATE"),
      "the date for checking whether suppressions have expired, such as 2026-10-01 (default: today, UTC)");
  po::options_description gate("Gate", 90);
  gate.add_options()("against", po::value<std::string>()->value_name("BASE"),
                     "compare with this base checkpoint (rules cross-*)")(
      "map", po::value<std::vector<std::string>>()->value_name("RE=>REPL"),
      "with --against, rewrite weight names: replace the first match of RE (RE2) with REPL; repeatable")(
      "fail-on", po::value<std::string>()->value_name("LEVEL"),
      "exit with 1 at this level and above: error (default), warning, note or never")(
      "baseline", po::value<std::string>()->value_name("FILE"),
      "do not fail on findings that this JSON or SARIF report of an earlier run has")(
      "update-baseline", "write this run's findings to the --baseline file");
  po::options_description about("Instead of checking files", 90);
  about.add_options()("explain", po::value<std::string>()->value_name("RULE"),
                      "explain a rule: what it finds, why it matters, how to fix it")(
      "list-rules", "list all rules and their options, as set by --rules or this folder's config")(
      "print-config",
      "print the rules in effect for FILE (default: this folder) and where each setting comes from")(
      "write-manifest", po::value<std::string>()->value_name("MANIFEST"),
      "write FILE's keys, shapes and dtypes to MANIFEST, for the check manifest; -: standard output")(
      "test", po::value<std::string>()->value_name("RULES"),
      "run the tests in a rule file; exit with 1 if any fails");
  po::options_description own;
  own.add(rules).add(gate).add(about);
  return own;
}

// Refuses arguments that would be silently ignored.
void check_action(const Parsed& parsed) {
  std::string_view action;
  for (const char* name : {"explain", "list-rules", "print-config", "write-manifest", "test"}) {
    if (!has(parsed, name)) continue;
    if (!action.empty())
      fail(ErrorCode::kUsage, fmt::format("--{} and --{} cannot be combined; see --help", action, name));
    action = name;
  }
  if (action.empty()) return;
  const bool takes_file = action == "print-config" || action == "write-manifest";
  if (!takes_file && !parsed.operands.empty())
    fail(ErrorCode::kUsage,
         fmt::format("--{} takes no FILE, but got {}; see --help", action, quote(parsed.operands.front())));
  if (action == "test" && has(parsed, "rules"))
    fail(ErrorCode::kUsage, "--test takes the rule file itself; drop --rules");
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
