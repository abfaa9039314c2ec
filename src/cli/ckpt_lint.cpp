#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <sstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

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
#include "cli/watch.h"
#include "files/file_glob.h"
#include "files/write_file.h"
#include "lint/config_entries.h"
#include "lint/configs.h"
#include "lint/explain.h"
#include "lint/find_inputs.h"
#include "lint/manifest.h"
#include "lint/print_config.h"
#include "lint/rule_files.h"
#include "lint/rule_set.h"
#include "lint/rules_doc.h"
#include "lint/rules_schema.h"
#include "lint/run.h"
#include "lint/starter.h"
#include "lint/statistics.h"
#include "operands/operands.h"
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
    "FILE may also be REV:PATH as in git, or - for standard input.\n"
    "FOLDER means all checkpoints below it (.ckpt .pt .pth .bin ..., and any other file that is\n"
    "one by its first bytes), PATTERN all files that match it ('runs/**/last.ckpt'). Without\n"
    "--rules, the nearest .ckpt-lint.yaml applies to each file, searched from its folder up to\n"
    "the one with .git; if there is none, the built-in recommended rules apply. Use --no-config\n"
    "in folders you do not trust.",
    "Examples:\n"
    "  ckpt-lint model.ckpt\n"
    "  ckpt-lint --rules strict.yaml --report sarif=ckpt.sarif model.ckpt\n"
    "  ckpt-lint --against base.ckpt --profile inference model.ckpt\n"
    "  ckpt-lint --against origin/main:model.ckpt model.ckpt\n"
    "  ckpt-lint --watch lightning_logs/\n"
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
  const std::vector<std::string> names = lint::profile_names();
  fail(ErrorCode::kUsage, fmt::format("--profile takes one of {}, not {}{}", fmt::join(names, ", "),
                                      quote(*text), did_you_mean(*text, names)));
}

std::string today(const Parsed& parsed) {
  const auto text = text_option(parsed, "today");
  if (!text) return today_utc();
  if (!is_date(*text))
    fail(ErrorCode::kUsage, fmt::format("--today takes a date such as 2026-10-01, not {}", quote(*text)));
  return *text;
}

// A list of ids: "--ignore a,b --ignore c".
std::vector<std::string> ids_of(const Parsed& parsed, const char* option) {
  std::vector<std::string> ids;
  for (const std::string& list : list_of(parsed, option)) {
    std::istringstream stream(list);
    for (std::string id; std::getline(stream, id, ',');) {
      std::erase(id, ' ');
      ids.push_back(std::move(id));
    }
    if (list.empty() || list.back() == ',' || std::find(ids.begin(), ids.end(), "") != ids.end())
      fail(ErrorCode::kUsage,
           fmt::format("--{} takes ids of rules, separated by commas, not {}", option, quote(list)));
  }
  return ids;
}

lint::Configs configs_of(const Parsed& parsed) {
  return lint::Configs(text_option(parsed, "rules"), !has(parsed, "no-config"),
                       {ids_of(parsed, "select"), ids_of(parsed, "ignore")});
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
  if (settings.update_baseline) check_output(*settings.baseline);
  settings.today = today(parsed);
  settings.jobs = parsed.jobs;
  return settings;
}

lint::Result lint_with_progress(const lint::Found& found, lint::Configs& configs, lint::Settings settings) {
  Progress progress(found.inputs.size());
  settings.judged = [&](const std::string&) { progress.done_file(); };
  return lint::lint_files(found, configs, settings);
}

void write_baseline(const std::string& path, const lint::Result& result) {
  protect_inputs(path, result.report.inputs);
  if (result.new_baseline)
    write_output(path, *result.new_baseline);
  else
    complain(kProgram.name, path, "the baseline was not updated: some inputs could not be read");
}

// --exclude is for all operands, `exclude:` of rule files only for what was found: whoever names a file, or
// has a program name it, wants it judged.
class Exclusions {
 public:
  Exclusions(const Parsed& parsed, lint::Configs& configs) : configs_(configs) {
    for (const std::string& pattern : list_of(parsed, "exclude"))
      globs_.push_back({FileGlob(pattern, "."), false});
  }
  bool operator()(const std::string& path, bool named) {
    const std::string absolute = absolute_path(path);
    for (auto& [glob, used] : globs_) {
      if (!glob.matches(absolute)) continue;
      used = true;
      return true;
    }
    return !named && configs_.excludes(path);
  }
  std::vector<std::string> unused() const {
    std::vector<std::string> patterns;
    for (const auto& [glob, used] : globs_)
      if (!used) patterns.push_back(glob.pattern());
    return patterns;
  }

 private:
  lint::Configs& configs_;
  std::vector<std::pair<FileGlob, bool>> globs_;
};

// A file that is a pointer is judged as it is: torch cannot load it.
operands::Operands operands_of(const Parsed& parsed, const lint::Settings& settings) {
  std::vector<std::string> typed = parsed.operands;
  if (settings.against) typed.push_back(*settings.against);
  return operands::Operands(typed, operands::Pointers::kKeep);
}

int lint_operands(const Parsed& parsed) {
  if (parsed.operands.empty()) fail(ErrorCode::kUsage, "expected at least one FILE; see --help");
  lint::Settings settings = settings_of(parsed);
  lint::Configs configs = configs_of(parsed);
  Exclusions exclusions(parsed, configs);
  lint::Found found = lint::find_inputs(parsed.operands, std::ref(exclusions));
  const operands::Operands named = operands_of(parsed, settings);
  for (lint::Input& input : found.inputs) input.place = named.place_of(input.path);
  settings.open = [&](const std::string& path) { return named.open(path); };
  lint::Result result = lint_with_progress(found, configs, settings);
  for (const std::string& pattern : exclusions.unused())
    result.report.remarks.push_back(fmt::format("--exclude {} matches nothing", quote(pattern)));
  for (const lint::Complaint& one : result.complaints) complain(kProgram.name, one.path, one.text);
  if (settings.update_baseline) write_baseline(*settings.baseline, result);
  result.report.arguments = parsed.arguments;
  if (has(parsed, "statistics")) lint::add_statistics(result.report);
  write_reports(result.report, parsed.output);
  return result.report.exit_status;
}

int watch_folder(const std::string& folder, const Parsed& parsed) {
  lint::Settings settings = settings_of(parsed);
  lint::Configs configs = configs_of(parsed);
  Exclusions exclusions(parsed, configs);
  const auto list = [&] {
    std::vector<std::string> paths;
    for (const lint::Input& input : lint::find_inputs({folder}, std::ref(exclusions)).inputs)
      if (!input.failure) paths.push_back(input.path);
    return paths;
  };
  return watch(folder, list, configs, settings);
}

// --- actions on rules instead of checkpoints ----------------------------------------------------------

int explain(const std::string& word, const Parsed& parsed) {
  lint::Configs configs = configs_of(parsed);
  const lint::RuleSetPtr set = configs.for_folder(".").rules;
  std::cout << lint::explain(word, set->rules);
  return kClean;
}

int print_config(const Parsed& parsed) {
  lint::Configs configs = configs_of(parsed);
  lint::PrintedConfig about;
  if (!parsed.operands.empty()) about.checkpoint = one_operand(parsed, "--print-config");
  const lint::Configs::Choice choice =
      about.checkpoint.empty() ? configs.for_folder(".") : configs.for_file(about.checkpoint);
  configs.check_selection();
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
  if (target != "-") check_output(target);
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
    write_output(target, text);
  return kClean;
}

std::vector<std::string> names_of(std::span<const lint::BuiltinFile> files) {
  std::vector<std::string> names;
  for (const lint::BuiltinFile& file : files) names.emplace_back(file.name);
  return names;
}

// With two of them, neither would be read.
int init() {
  const std::string name(lint::kConfigName), other(lint::kOtherName);
  std::error_code ignored;
  if (std::filesystem::exists(other, ignored))
    fail(ErrorCode::kUsage, fmt::format("{} is there already; nothing was written", quote(other)));
  write_new_file(name, lint::starter_file());
  std::cout << "wrote " << name << "; it changes nothing yet\n";
  return kClean;
}

int print_rules_schema() {
  std::cout << lint::rules_schema(lint::Configs("recommended", false, {}).for_folder(".").rules->rules);
  return kClean;
}

OptionGroups options() {
  OptionGroup rules("Rules");
  rules.add_options()("rules,r", po::value<std::string>()->value_name("NAME|PATH"),
                      "use this rule file, or a built-in set: recommended (default) or strict")(
      "no-config", "ignore .ckpt-lint.yaml files")(
      "profile", po::value<std::string>()->value_name("PROFILE"),
      "what the files are used for: resume (default; missing training state is an error), inference (it is "
      "fine), finetune (it is fine, and with --against it may be new), any (it is a note), auto (resume if "
      "the "
      "file has any training state)")("select", po::value<std::vector<std::string>>()->value_name("RULE,..."),
                                      "check only these rules, also if they are off; repeatable")(
      "ignore", po::value<std::vector<std::string>>()->value_name("RULE,..."),
      "do not check these rules; repeatable")(
      "exclude", po::value<std::vector<std::string>>()->value_name("GLOB"),
      "pass over files that match, in folders and patterns, too: '*.bak.ckpt', 'runs/old/'; repeatable")(
      "today", po::value<std::string>()->value_name("DATE"),
      "the date for checking whether suppressions have expired, such as 2026-10-01 (default: today, UTC)");
  OptionGroup gate("Gate");
  gate.add_options()("against", po::value<std::string>()->value_name("BASE"),
                     "compare with this base checkpoint (rules cross-*)")(
      "map", po::value<std::vector<std::string>>()->value_name("RE=>REPL"),
      "with --against, rewrite weight names: replace the first match of RE (RE2) with REPL; repeatable")(
      "fail-on", po::value<std::string>()->value_name("LEVEL"),
      "exit with 1 at this level and above: error (default), warning, note or never")(
      "baseline", po::value<std::string>()->value_name("FILE"),
      "do not fail on findings that this JSON or SARIF report of an earlier run has")(
      "update-baseline", "write this run's findings to the --baseline file")(
      "statistics", "count the findings by rule instead of listing them");
  OptionGroup about("Instead of checking files");
  about.add_options()(
      "explain", po::value<std::string>()->value_name("WORD"),
      "explain a rule (what it finds, why it matters, how to fix it), a check, a kind of finding or "
      "a profile")("list-rules",
                   "list all rules and their options, as set by --rules or this folder's config")(
      "print-config",
      "print the rules in effect for FILE (default: this folder) and where each setting comes from")(
      "write-manifest", po::value<std::string>()->value_name("MANIFEST"),
      "write FILE's keys, shapes and dtypes to MANIFEST, for the check manifest; -: standard output")(
      "watch", po::value<std::string>()->value_name("DIR"),
      "for a training run: until Ctrl-C, print a line for each checkpoint that appears below DIR: what it "
      "is, "
      "what is wrong with it, and what changed since the one before in its folder (--against is that one "
      "unless given)")("test", po::value<std::string>()->value_name("RULES"),
                       "run the tests in a rule file; exit with 1 if any fails")(
      "init", "write a commented .ckpt-lint.yaml to this folder, unless there is one")(
      "print-rules-schema", "print the JSON Schema of rule files, for editors");
  rules.choose("rules", names_of(lint::builtin_rule_sets()));
  rules.choose("profile", lint::profile_names());
  rules.choose("select", names_of(lint::builtin_catalog()));
  rules.choose("ignore", names_of(lint::builtin_catalog()));
  gate.choose("fail-on", {"error", "warning", "note", "never"});
  about.choose("explain", names_of(lint::builtin_catalog()));
  return {rules, gate, about};
}

// What is done instead of checking files, with the options that it heeds besides the common ones of all
// programs.
struct Action {
  std::string_view name;
  bool takes_file;
  std::vector<std::string_view> heeds;
};
const Action kActions[] = {
    {"explain", false, {"rules", "no-config"}},
    {"list-rules", false, {"rules", "no-config", "select", "ignore"}},
    {"print-config", true, {"rules", "no-config", "profile", "select", "ignore"}},
    {"write-manifest", true, {}},
    {"watch",
     false,
     {"rules", "no-config", "profile", "select", "ignore", "exclude", "today", "against", "map", "fail-on",
      "baseline"}},
    {"test", false, {"profile", "today"}},
    {"init", false, {}},
    {"print-rules-schema", false, {}},
};
constexpr std::string_view kAlways[] = {"operand", "jobs", "color", "width", "quiet", "verbose"};

std::string why_refused(std::string_view action, std::string_view option) {
  if (action == "test" && option == "rules") return "--test takes the rule file itself; drop --rules";
  if (action == "test" && option == "against")
    return "--test takes the base from each test, as 'against: FILE'; drop --against";
  return fmt::format("--{} has no use for --{}; drop it", action, option);
}

// Refuses arguments that would be silently ignored.
void check_action(const Parsed& parsed) {
  const Action* action = nullptr;
  for (const Action& one : kActions) {
    if (!has(parsed, one.name.data())) continue;
    if (action != nullptr)
      fail(ErrorCode::kUsage,
           fmt::format("--{} and --{} cannot be combined; see --help", action->name, one.name));
    action = &one;
  }
  if (action == nullptr) return;
  if (!action->takes_file && !parsed.operands.empty())
    fail(ErrorCode::kUsage, fmt::format("--{} takes no FILE, but got {}; see --help", action->name,
                                        quote(parsed.operands.front())));
  for (const auto& given : parsed.values) {
    const std::string& option = given.first;
    const auto is = [&](std::string_view name) { return name == option; };
    if (is(action->name) || std::any_of(std::begin(kAlways), std::end(kAlways), is)) continue;
    if (std::none_of(action->heeds.begin(), action->heeds.end(), is))
      fail(ErrorCode::kUsage, why_refused(action->name, option));
  }
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
  if (const auto folder = text_option(*parsed, "watch")) return watch_folder(*folder, *parsed);
  if (has(*parsed, "init")) return init();
  if (has(*parsed, "print-rules-schema")) return print_rules_schema();
  if (has(*parsed, "print-config")) return print_config(*parsed);
  if (has(*parsed, "list-rules")) {
    lint::Configs configs = configs_of(*parsed);
    const lint::RuleSetPtr set = configs.for_folder(".").rules;
    configs.check_selection();
    std::cout << lint::list_rules(*set);
    return kClean;
  }
  return lint_operands(*parsed);
}

}  // namespace ckpt::cli
