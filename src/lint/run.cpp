#include "lint/run.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "lint/baseline.h"
#include "lint/judge.h"
#include "lint/suppress.h"
#include "lint/verdict.h"
#include "report/exit_status.h"
#include "show/input.h"

namespace ckpt::lint {
namespace {

using report::Finding;
using report::Report;

// --- which rules for which file ------------------------------------------------------------------------

struct Plan {
  std::vector<Configs::Choice> choices;  // one for each input
  std::vector<RuleSetPtr> sets;          // as they were loaded, in the order in which files need them
  std::vector<std::size_t> set_of;       // input -> index into sets
  std::map<std::string, report::RuleInfo> messages;  // rule -> the words that the report has
};

// Several rule sets may say different things about a rule; the first message is the one of the report.
void add_rules(const RuleSet& rules, Report& report, std::map<std::string, report::RuleInfo>& messages) {
  for (const Rule& rule : rules.rules)
    if (messages.emplace(rule.info.id, rule.info).second) report.rules.push_back(rule.info);
}

Plan make_plan(const std::vector<Input>& inputs, Configs& configs, Report& report) {
  Plan plan;
  for (const Input& input : inputs) {
    plan.choices.push_back(configs.for_file(input.path));
    const RuleSetPtr& set = plan.choices.back().set;
    const auto known = std::find(plan.sets.begin(), plan.sets.end(), set);
    plan.set_of.push_back(static_cast<std::size_t>(known - plan.sets.begin()));
    if (known == plan.sets.end()) plan.sets.push_back(set);
  }
  for (const RuleSetPtr& set : plan.sets) add_rules(*set, report, plan.messages);
  RuleSetPtr last;
  for (const Configs::Choice& choice : plan.choices)
    if (std::exchange(last, choice.rules) != choice.rules) add_rules(*choice.rules, report, plan.messages);
  return plan;
}

// A finding's arguments belong to the message of its rule in the report, or are left out.
void keep_arguments(const RuleSet& rules, const std::map<std::string, report::RuleInfo>& messages,
                    std::vector<Finding>& findings) {
  for (const Rule& rule : rules.rules) {
    if (same_words(messages.at(rule.info.id), rule.info)) continue;
    for (Finding& finding : findings)
      if (finding.rule_id == rule.info.id) finding.arguments.clear();
  }
}

// --- the files -----------------------------------------------------------------------------------------

diff::NameOptions names_of(const Settings& settings) {
  diff::NameOptions names;
  for (const std::string& map : settings.maps) names.maps.emplace_back(map);
  return names;
}

std::vector<Judged> judge_all(const std::vector<Input>& inputs, const Plan& plan, const Opened* base,
                              const Settings& settings) {
  const std::size_t files = std::max<std::size_t>(1, std::min(settings.jobs, inputs.size()));
  const JudgeSettings each{base,
                           inputs.size(),
                           settings.profile,
                           settings.today,
                           std::max<std::size_t>(1, settings.jobs / files),
                           names_of(settings)};
  std::vector<Judged> outcomes(inputs.size());
  parallel_for(inputs.size(), files, [&](std::size_t i) {
    const RuleSet& rules = *plan.choices[i].rules;
    outcomes[i] = judge_file(inputs[i], i, rules, each);
    keep_arguments(rules, plan.messages, outcomes[i].findings);
    if (settings.judged) settings.judged(inputs[i].path);
  });
  return outcomes;
}

// --- the report ----------------------------------------------------------------------------------------

// Rule files as inputs: a report says which were used, and findings about them stand there.
std::map<std::string, std::size_t> add_rule_files(const std::vector<RuleSetPtr>& sets, Report& report) {
  std::map<std::string, std::size_t> index;
  for (const RuleSetPtr& set : sets)
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

void add_config_findings(const std::vector<RuleSetPtr>& sets, const std::vector<SuppressionUse>& uses,
                         const std::string& today, Report& report) {
  const auto files = add_rule_files(sets, report);
  for (std::size_t i = 0; i < uses.size(); ++i)
    for (ConfigFinding& one : judge_suppressions(*sets[i], uses[i], today)) {
      one.finding.where.input = files.at(one.source);
      report.findings.push_back(std::move(one.finding));
    }
}

class Run {
 public:
  Run(const std::vector<Input>& inputs, Configs& configs, const Settings& settings)
      : inputs_(inputs), configs_(configs), settings_(settings) {}

  Result run() {
    Report& report = result_.report;
    report.tool = {"ckpt-lint", CKPT_VERSION, "Validates checkpoints."};
    report.fail_on = settings_.fail_on;
    std::optional<BaselineFindings> old;
    if (settings_.baseline && !settings_.update_baseline) old = BaselineFindings::read(*settings_.baseline);
    const Plan plan = make_plan(inputs_, configs_, report);
    report.inputs.resize(inputs_.size());
    open_base();
    add_files(plan, judge_all(inputs_, plan, usable_base(), settings_));
    if (usable_base() != nullptr) complain(base_->path, show::change_of(*base_));
    add_config_findings(plan.sets, uses_, settings_.today, report);
    std::sort(report.findings.begin(), report.findings.end());
    if (old) old->mark(report);
    if (settings_.update_baseline) renew_baseline();
    finish(plan);
    return std::move(result_);
  }

 private:
  void complain(const std::string& path, std::string text) {
    if (text.empty()) return;
    status_ = kTrouble;
    result_.complaints.push_back({path, std::move(text)});
  }

  // A base that cannot be read leaves the cross rules without an answer: status 2, not silence.
  void open_base() {
    if (!settings_.against) return;
    base_ = open_input(*settings_.against);
    complain(base_->path, show::trouble_of(*base_));
    result_.report.inputs.push_back(show::describe_input(*base_, report::Role::kBase));
  }
  const Opened* usable_base() const { return base_ && base_->file ? &*base_ : nullptr; }

  void add_files(const Plan& plan, std::vector<Judged> outcomes) {
    Report& report = result_.report;
    uses_.resize(plan.sets.size());
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      Judged& out = outcomes[i];
      if (!out.troubles.empty()) ++failed_;
      for (std::string& text : out.troubles) complain(inputs_[i].path, std::move(text));
      report.inputs[i] = std::move(out.input);
      std::move(out.findings.begin(), out.findings.end(), std::back_inserter(report.findings));
      uses_[plan.set_of[i]].add(out.use);
      result_.files.push_back({plan.choices[i].rules, out.scope});
    }
  }

  // Without all inputs it would forget the findings of those that could not be read.
  void renew_baseline() {
    if (status_ == kTrouble) return;
    result_.new_baseline = baseline_text(result_.report);
    BaselineFindings::parse(*result_.new_baseline).mark(result_.report);
  }

  void finish(const Plan& plan) {
    Report& report = result_.report;
    const auto failing = [&](const Finding& finding) { return report::fails(report, finding); };
    if (std::any_of(report.findings.begin(), report.findings.end(), failing))
      status_ = worse(status_, kFound);
    set_verdict(report, plan.sets, inputs_.size(), failed_, status_);
  }

  const std::vector<Input>& inputs_;
  Configs& configs_;
  const Settings& settings_;
  Result result_;
  std::optional<Opened> base_;
  std::vector<SuppressionUse> uses_;  // of each set of the plan
  std::size_t failed_ = 0;            // inputs with troubles
  int status_ = kClean;
};

}  // namespace

Result lint_files(const std::vector<Input>& inputs, Configs& configs, const Settings& settings) {
  return Run(inputs, configs, settings).run();
}

}  // namespace ckpt::lint
