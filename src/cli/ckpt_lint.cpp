#include <algorithm>
#include <iostream>
#include <iterator>

#include <fmt/format.h>

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "cli/exit_status.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/programs.h"
#include "lint/engine.h"
#include "lint/rule_set.h"
#include "lint/rules_doc.h"

namespace ckpt::cli {
namespace {

namespace po = boost::program_options;
using lint::Profile;
using report::Level;

const Program kProgram = {
    "ckpt-lint",
    "ckpt-lint [OPTION ...] FILE [FILE ...]",
    "Says whether checkpoints can be trusted: runs validation rules over the weights, the\n"
    "optimizer, scheduler and loop states, the hyperparameters, the container and the pickle\n"
    "(which is never executed).\n",
    "Examples:\n"
    "  ckpt-lint model.ckpt\n"
    "  ckpt-lint --rules strict.yaml --report sarif=ckpt.sarif model.ckpt\n"
    "  ckpt-lint --against base.ckpt --profile inference model.ckpt\n"
    "  ckpt-lint --explain weights-nonfinite\n"
    "\n"
    "Exit status: 0 no finding at or above --fail-on, 1 findings, 2 usage error, broken rules\n"
    "file or unreadable input (2 wins).\n",
};

std::string text_option(const Parsed& parsed, const char* name, std::string otherwise) {
  return parsed.values.count(name) != 0 ? parsed.values[name].as<std::string>() : std::move(otherwise);
}

// --- --fail-on and --profile ------------------------------------------------------------------------------

std::optional<Level> fail_level(const Parsed& parsed) {
  const std::string text = text_option(parsed, "fail-on", "error");
  if (text == "error") return Level::kError;
  if (text == "warning") return Level::kWarning;
  if (text == "note") return Level::kNote;
  if (text == "never") return std::nullopt;
  const std::vector<std::string> names = {"error", "warning", "note", "never"};
  fail(ErrorCode::kUsage,
       fmt::format("--fail-on takes error, warning, note or never, not {}{}", quote(text), did_you_mean(text, names)));
}

// What the command line says; nullopt for auto, which looks at each file.
struct ProfileChoice {
  bool automatic = false;
  Profile profile = Profile::kResume;
};

ProfileChoice profile_choice(const Parsed& parsed, const lint::RuleSet& rules) {
  const std::string text = text_option(parsed, "profile", "");
  if (text.empty()) return {false, rules.profile.value_or(Profile::kResume)};
  if (text == "resume") return {false, Profile::kResume};
  if (text == "inference") return {false, Profile::kInference};
  if (text == "any") return {false, Profile::kAny};
  if (text == "auto") return {true, Profile::kResume};
  const std::vector<std::string> names = {"resume", "inference", "any", "auto"};
  fail(ErrorCode::kUsage,
       fmt::format("--profile takes resume, inference, any or auto, not {}{}", quote(text), did_you_mean(text, names)));
}

Profile profile_for(const ProfileChoice& choice, const Opened& input) {
  if (!choice.automatic) return choice.profile;
  const bool trains = input.items.optimizer_states != value::kNoNode || input.items.lr_schedulers != value::kNoNode;
  return trains ? Profile::kResume : Profile::kInference;
}

// --- the run ------------------------------------------------------------------------------------------------

// A base checkpoint that cannot be read leaves the cross rules without an answer: status 2, not silence.
struct Base {
  OpenedPtr input;
  std::size_t index = 0;
  const Opened* usable() const { return input && input->file ? input.get() : nullptr; }
};

void add_findings(std::vector<report::Finding> findings, report::Report& report) {
  std::move(findings.begin(), findings.end(), std::back_inserter(report.findings));
}

// One input: its findings. If a tensor cannot be read while judging, the input counts as unreadable, and what can
// be said without numbers is still said.
int judge(const lint::RuleSet& rules, const OpenedPtr& input, std::size_t index, const Base& base,
          lint::EngineOptions options, report::Report& report) {
  try {
    add_findings(lint::run_rules(rules, *input, index, base.usable(), base.index, options), report);
    return status_of(*input);
  } catch (const Error& error) {
    complain(kProgram.name, input->path, error.what());
    options.numbers = false;
    add_findings(lint::run_rules(rules, *input, index, base.usable(), base.index, options), report);
    Opened failed;
    failed.path = input->path;
    failed.failure = error;
    report.inputs[index] = describe_input(failed, report::Role::kTarget);
    add_findings(lint::run_rules(rules, failed, index, nullptr, 0, options), report);
    return kTrouble;
  }
}

std::size_t rules_on(const lint::RuleSet& rules) {
  std::size_t on = 0;
  for (const lint::Rule& rule : rules.rules) on += rule.on ? 1 : 0;
  return on;
}

std::string verdict(const report::Report& report, const lint::RuleSet& rules, std::size_t files, std::size_t failed) {
  const report::Counts counts = report::count(report);
  std::string text;
  const auto add = [&](std::uint64_t count, std::string_view noun) {
    if (count > 0) text += (text.empty() ? "" : ", ") + plural(count, noun);
  };
  add(counts.errors, "error");
  add(counts.warnings, "warning");
  add(counts.notes, "note");
  if (text.empty()) text = "clean";
  text += fmt::format(" in {}", plural(files, "checkpoint"));
  if (failed > 0) text += fmt::format(" ({} unreadable)", failed);
  text += fmt::format(" · {} of {}", plural(rules_on(rules), "rule"), one_line(rules.name));
  if (!report.findings.empty()) {
    const auto worst = std::max_element(report.findings.begin(), report.findings.end(),
                                        [](const auto& a, const auto& b) { return a.level < b.level; });
    text += fmt::format(" · ckpt-lint --explain {} tells more", worst->rule_id);
  }
  return text;
}

report::Style verdict_style(const report::Report& report) {
  const report::Counts counts = report::count(report);
  if (counts.errors > 0) return report::Style::kError;
  return counts.warnings > 0 ? report::Style::kWarning : report::Style::kGood;
}

bool reaches(const report::Report& report, std::optional<Level> level) {
  return level && std::any_of(report.findings.begin(), report.findings.end(),
                              [&](const report::Finding& finding) { return finding.level >= *level; });
}

std::string exit_reason(int status) {
  if (status == kTrouble) return "At least one input could not be checked.";
  return status == kFound ? "Findings at or above the chosen level were reported." : "No finding at or above the chosen level.";
}

report::Report start_report(const Parsed& parsed, const lint::RuleSet& rules) {
  report::Report report;
  report.tool = {kProgram.name, CKPT_VERSION, "Validates checkpoints."};
  report.arguments = parsed.arguments;
  for (const lint::Rule& rule : rules.rules) report.rules.push_back(rule.info);
  return report;
}

int lint_files(const Parsed& parsed) {
  const lint::RuleSet rules = lint::load_rule_set(text_option(parsed, "rules", "recommended"));
  const std::optional<Level> level = fail_level(parsed);
  const ProfileChoice profile = profile_choice(parsed, rules);
  report::Report report = start_report(parsed, rules);
  int status = kClean;
  std::vector<OpenedPtr> inputs;
  for (const std::string& path : parsed.operands) {
    inputs.push_back(open_and_complain(kProgram.name, path));
    report.inputs.push_back(describe_input(*inputs.back(), report::Role::kTarget));
  }
  Base base;
  if (parsed.values.count("against") != 0) {
    base = {open_and_complain(kProgram.name, parsed.values["against"].as<std::string>()), report.inputs.size()};
    report.inputs.push_back(describe_input(*base.input, report::Role::kBase));
    status = worse(status, status_of(*base.input));
  }
  std::size_t failed = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    int one = judge(rules, inputs[i], i, base, {profile_for(profile, *inputs[i]), parsed.jobs}, report);
    one = worse(one, check_unchanged(kProgram.name, *inputs[i]));
    failed += one == kTrouble ? 1 : 0;
    status = worse(status, one);
  }
  std::sort(report.findings.begin(), report.findings.end());
  if (reaches(report, level)) status = worse(status, kFound);
  report.verdict = verdict(report, rules, inputs.size(), failed);
  report.verdict_style = verdict_style(report);
  report.exit_status = status;
  report.exit_reason = exit_reason(status);
  write_reports(report, parsed.output);
  return status;
}

// --- --explain and --list-rules -----------------------------------------------------------------------------

int explain(const std::string& id, const Parsed& parsed) {
  const lint::RuleSet rules = lint::load_rule_set(text_option(parsed, "rules", "recommended"));
  std::vector<std::string> ids;
  for (const lint::Rule& rule : rules.rules) {
    ids.push_back(rule.info.id);
    if (rule.info.id != id) continue;
    std::cout << lint::explain_rule(rule);
    return kClean;
  }
  fail(ErrorCode::kUsage, fmt::format("no rule {}{}; ckpt-lint --list-rules shows all", quote(id), did_you_mean(id, ids)));
}

}  // namespace

int run_lint(int argc, const char* const* argv) {
  po::options_description own("Options", 90);
  own.add_options()
      ("rules,r", po::value<std::string>()->value_name("NAME|PATH"), "the rule set: a file, or a built-in one: recommended (default), strict")
      ("against", po::value<std::string>()->value_name("BASE"), "a base checkpoint for the rules that compare two (cross-*)")
      ("profile", po::value<std::string>()->value_name("PROFILE"),
       "what the files are for: resume (default; training state must be there), inference (it need not), any (a note), auto")
      ("fail-on", po::value<std::string>()->value_name("LEVEL"), "status 1 from this level on: error (default), warning, note, never")
      ("explain", po::value<std::string>()->value_name("RULE"), "what a rule finds, why it matters and what to do")
      ("list-rules", "all rules, with the level that --rules gives them");
  const auto parsed = parse(kProgram, own, argc, argv);
  if (!parsed) return kClean;
  if (parsed->values.count("explain") != 0) return explain(parsed->values["explain"].as<std::string>(), *parsed);
  if (parsed->values.count("list-rules") != 0) {
    std::cout << lint::list_rules(lint::load_rule_set(text_option(*parsed, "rules", "recommended")));
    return kClean;
  }
  if (parsed->operands.empty()) fail(ErrorCode::kUsage, "expected at least one FILE; see --help");
  return lint_files(*parsed);
}

}  // namespace ckpt::cli
