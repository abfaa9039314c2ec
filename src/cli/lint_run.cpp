#include "cli/lint_run.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "cli/exit_status.h"
#include "cli/inputs.h"
#include "cli/lint_verdict.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "lint/baseline.h"
#include "lint/engine.h"
#include "lint/json_reader.h"
#include "lint/suppress.h"

namespace ckpt::cli {
namespace {

using report::Finding;
using report::Report;

const std::string kName = "ckpt-lint";

// What remains of a file after it is judged and closed.
struct Outcome {
  report::Input input;
  std::vector<Finding> findings;
  lint::SuppressionUse use;
  std::vector<std::string> troubles;  // for stderr, in the order of the inputs
  int status = kClean;
};

// A base checkpoint that cannot be read leaves the cross rules without an answer: status 2, not silence.
struct Base {
  OpenedPtr input;
  std::size_t index = 0;
  const Opened* usable() const { return input && input->file ? input.get() : nullptr; }
};

class Judge {
 public:
  Judge(const LintRun& run, const Base& base, std::size_t jobs) : run_(run), base_(base), jobs_(jobs) {}

  Outcome judge(std::size_t index, const lint::RuleSet& rules) const {
    const LintInput& named = run_.inputs[index];
    Opened input;
    if (named.failure) {
      input.path = named.path;
      input.failure = named.failure;
    } else {
      input = open_input(named.path);
    }
    Outcome out;
    out.input = describe_input(input, report::Role::kTarget);
    trouble(out, trouble_of(input));
    find(out, input, index, rules);
    trouble(out, change_of(input));
    out.use = lint::suppress(rules, input, base_.usable() != nullptr, run_.today, out.findings);
    return out;
  }

 private:
  static void trouble(Outcome& out, std::string text) {
    if (text.empty()) return;
    out.troubles.push_back(std::move(text));
    out.status = kTrouble;
  }

  void add(Outcome& out, const Opened& input, std::size_t index, const lint::RuleSet& rules,
           const lint::EngineOptions& options, const Opened* base) const {
    std::vector<Finding> more = lint::run_rules(rules, input, index, base, base_.index, options);
    std::move(more.begin(), more.end(), std::back_inserter(out.findings));
  }

  // If a tensor cannot be read while judging, the input counts as unreadable, and the
  // rules that need no numbers still run.
  void find(Outcome& out, const Opened& input, std::size_t index, const lint::RuleSet& rules) const {
    const auto setting = run_.profile.value_or(rules.profile.value_or(lint::ProfileSetting::kResume));
    lint::EngineOptions options{lint::profile_for(setting, input.items), jobs_};
    try {
      add(out, input, index, rules, options, base_.usable());
    } catch (const Error& error) {
      trouble(out, error.what());
      options.numbers = false;
      add(out, input, index, rules, options, base_.usable());
      Opened failed;
      failed.path = input.path;
      failed.failure = error;
      out.input = describe_input(failed, report::Role::kTarget);
      add(out, failed, index, rules, options, nullptr);
    }
  }

  const LintRun& run_;
  const Base& base_;
  std::size_t jobs_;  // threads for the tensors of one file
};

Base open_base(const LintRun& run, Report& report) {
  if (!run.against) return {};
  Base base{open_and_complain(kName, *run.against), run.inputs.size()};
  report.inputs.push_back(describe_input(*base.input, report::Role::kBase));
  return base;
}

// Several rule sets may say different things about a rule; the report uses the first message.
void add_rules(const lint::RuleSet& rules, Report& report, std::map<std::string, std::string>& messages) {
  for (const lint::Rule& rule : rules.rules)
    if (messages.emplace(rule.info.id, rule.message).second) report.rules.push_back(rule.info);
}

// A finding's arguments belong to the message of its rule in the report, or are left out.
void keep_arguments(const lint::RuleSet& rules, const std::map<std::string, std::string>& messages,
                    std::vector<Finding>& findings) {
  for (const lint::Rule& rule : rules.rules) {
    if (messages.at(rule.info.id) == rule.message) continue;
    for (Finding& finding : findings)
      if (finding.rule_id == rule.info.id) finding.arguments.clear();
  }
}

// Rule files as inputs: a report lists the ones used, and findings about them refer to them.
std::map<std::string, std::size_t> add_rule_files(const LintConfigs& configs, Report& report) {
  std::map<std::string, std::size_t> index;
  for (const auto& set : configs.sets())
    for (const std::string& file : set->files) {
      if (!index.emplace(file, report.inputs.size()).second) continue;
      report::Input input;
      input.path = file;
      input.role = report::Role::kRules;
      std::error_code ignored;
      if (const auto size = std::filesystem::file_size(file, ignored); !ignored) input.size = size;
      report.inputs.push_back(std::move(input));
    }
  return index;
}

void add_config_findings(const LintRun& run, const LintConfigs& configs,
                         const std::vector<lint::SuppressionUse>& uses,
                         const std::map<std::string, std::size_t>& files, Report& report) {
  for (std::size_t i = 0; i < uses.size(); ++i)
    for (lint::ConfigFinding& one : lint::judge_suppressions(*configs.sets()[i], uses[i], run.today)) {
      one.finding.where.input = files.at(one.source);
      report.findings.push_back(std::move(one.finding));
    }
}

void apply_baseline(const LintRun& run, const std::optional<lint::BaselineFindings>& old, int status,
                    Report& report) {
  if (!run.baseline) return;
  if (run.update_baseline) {
    protect_inputs(*run.baseline, report.inputs);
    if (status == kTrouble)
      return complain(kName, *run.baseline, "baseline not updated: some inputs could not be read");
    lint::write_file(*run.baseline, lint::baseline_text(report));
    lint::BaselineFindings::read(*run.baseline).mark(report);
  } else {
    old->mark(report);
  }
}

struct Plan {
  std::vector<LintConfigs::Choice> choices;
  std::map<std::string, std::string> messages;  // rule -> the message that the report has
};

Plan plan(const LintRun& run, LintConfigs& configs, Report& report) {
  Plan plan;
  for (const LintInput& input : run.inputs) plan.choices.push_back(configs.for_file(input.path));
  for (const auto& set : configs.sets()) add_rules(*set, report, plan.messages);
  const lint::RuleSet* last = nullptr;
  for (const auto& choice : plan.choices)
    if (std::exchange(last, choice.rules) != choice.rules) add_rules(*choice.rules, report, plan.messages);
  return plan;
}

std::vector<Outcome> judge_all(const LintRun& run, const Plan& plan, const Base& base) {
  const std::size_t files = std::max<std::size_t>(1, std::min(run.jobs, run.inputs.size()));
  const Judge judge(run, base, std::max<std::size_t>(1, run.jobs / files));
  std::vector<Outcome> outcomes(run.inputs.size());
  Progress progress(run.inputs.size());
  parallel_for(run.inputs.size(), files, [&](std::size_t i) {
    outcomes[i] = judge.judge(i, *plan.choices[i].rules);
    keep_arguments(*plan.choices[i].rules, plan.messages, outcomes[i].findings);
    progress.done(run.inputs[i].path);
  });
  return outcomes;
}

}  // namespace

Report lint_all(const LintRun& run, LintConfigs& configs) {
  Report report;
  report.tool = {kName, CKPT_VERSION, "Validates checkpoints."};
  report.fail_on = run.fail_on;
  std::optional<lint::BaselineFindings> old;
  if (run.baseline && !run.update_baseline) old = lint::BaselineFindings::read(*run.baseline);
  const Plan todo = plan(run, configs, report);
  report.inputs.resize(run.inputs.size());
  const Base base = open_base(run, report);
  int status = base.input ? status_of(*base.input) : kClean;
  std::vector<Outcome> outcomes = judge_all(run, todo, base);
  std::vector<lint::SuppressionUse> uses(configs.sets().size());
  std::size_t failed = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    Outcome& out = outcomes[i];
    for (const std::string& text : out.troubles) complain(kName, run.inputs[i].path, text);
    report.inputs[i] = std::move(out.input);
    std::move(out.findings.begin(), out.findings.end(), std::back_inserter(report.findings));
    uses[todo.choices[i].set].add(out.use);
    failed += out.status == kTrouble ? 1 : 0;
    status = worse(status, out.status);
  }
  if (base.usable() != nullptr) status = worse(status, check_unchanged(kName, *base.input));
  const auto files = add_rule_files(configs, report);
  add_config_findings(run, configs, uses, files, report);
  std::sort(report.findings.begin(), report.findings.end());
  apply_baseline(run, old, status, report);
  const auto failing = [&](const Finding& f) { return report::fails(report, f); };
  if (std::any_of(report.findings.begin(), report.findings.end(), failing)) status = worse(status, kFound);
  set_verdict(report, configs, run.inputs.size(), failed, status);
  return report;
}

}  // namespace ckpt::cli
