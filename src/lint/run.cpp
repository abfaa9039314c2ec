#include "lint/run.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/parallel.h"
#include "base/text.h"
#include "files/file_glob.h"
#include "lint/baseline.h"
#include "lint/judge.h"
#include "lint/patterns.h"
#include "lint/suppress.h"
#include "lint/verdict.h"
#include "report/exit_status.h"
#include "show/input.h"

namespace ckpt::lint {
namespace {

using report::Finding;
using report::Report;

constexpr std::size_t kMostKinds = 6;  // of files that were not looked at

// --- which rules for which file ------------------------------------------------------------------------

struct Plan {
  std::vector<Configs::Choice> choices;  // one for each input
  std::vector<RuleSetPtr> sets;          // as they were loaded, in the order in which files need them
  std::vector<std::size_t> set_of;       // input -> index into sets
  std::map<std::string_view, const report::RuleInfo*> messages;  // rule -> the words that the report has
};

// Several rule sets may say different things about a rule; the first message is the one of the report.
void add_rules(const RuleSet& rules, Report& report,
               std::map<std::string_view, const report::RuleInfo*>& messages) {
  for (const Rule& rule : rules.rules)
    if (messages.emplace(rule.info.id, &rule.info).second) report.rules.push_back(rule.info);
}

Plan make_plan(const std::vector<Input>& inputs, Configs& configs, Report& report) {
  Plan plan;
  for (const Input& input : inputs) {
    plan.choices.push_back(configs.for_file(input.rules_for()));
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
void keep_arguments(const RuleSet& rules, const std::map<std::string_view, const report::RuleInfo*>& messages,
                    std::vector<Finding>& findings) {
  for (const Rule& rule : rules.rules) {
    const report::RuleInfo& first = *messages.at(rule.info.id);
    if (&first == &rule.info || same_words(first, rule.info)) continue;
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
                           names_of(settings),
                           settings.open};
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

// What became of the entries of a rule set.
struct Use {
  SuppressionUse suppressions;
  SelectUse selects;
};

void add_config_findings(const std::vector<RuleSetPtr>& sets, const std::vector<Use>& uses,
                         const std::vector<std::string>& paths, const std::string& today, Report& report) {
  const auto files = add_rule_files(sets, report);
  const auto add = [&](std::vector<ConfigFinding> findings) {
    for (ConfigFinding& one : findings) {
      one.finding.where.input = files.at(one.source);
      report.findings.push_back(std::move(one.finding));
    }
  };
  for (std::size_t i = 0; i < uses.size(); ++i) {
    add(judge_suppressions(*sets[i], uses[i].suppressions, today));
    add(judge_patterns(*sets[i], uses[i].selects, paths));
  }
}

// --- which rules ran -----------------------------------------------------------------------------------

// A rule over all files of the run.
struct RuleRun {
  bool ran = false;              // on at least one file
  const Rule* rule = nullptr;    // otherwise: as it is for the first file that it is on for,
  const Scope* scope = nullptr;  // and that file
};

std::map<std::string_view, RuleRun> rule_runs(const std::vector<JudgedFile>& files) {
  std::map<std::string_view, RuleRun> runs;
  for (const JudgedFile& file : files)
    for (const Rule& rule : file.rules->rules) {
      const Running answer = running(rule, file.scope);
      if (answer == Running::kOff) continue;
      RuleRun& run = runs[rule.info.id];
      run.ran = run.ran || answer == Running::kYes || answer == Running::kPartly;
      if (run.rule == nullptr || (rule.asked && !run.rule->asked)) {
        run.rule = &rule;
        run.scope = &file.scope;
      }
    }
  return runs;
}

std::vector<std::string> absolute_paths(const Found& found) {
  std::vector<std::string> paths;
  for (const Input& input : found.inputs) paths.push_back(absolute_path(input.rules_for()));
  for (const std::string& path : found.excluded) paths.push_back(absolute_path(path));
  return paths;
}

// "3 files were not looked at: 2 .pkl, 1 safetensors file"
std::string not_read_text(const std::vector<report::NotRead>& files) {
  std::map<std::string, std::size_t> kinds;
  for (const report::NotRead& file : files) {
    const std::string end = std::filesystem::path(file.path).extension().string();
    ++kinds[end.empty() ? "without an extension" : end];
  }
  std::vector<std::pair<std::string, std::size_t>> ordered(kinds.begin(), kinds.end());
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text = fmt::format(
      "{} not looked at: ", files.size() == 1 ? "1 file was" : fmt::format("{} files were", files.size()));
  std::size_t others = 0;
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    if (i >= kMostKinds)
      others += ordered[i].second;
    else
      text += fmt::format("{}{} {}", i == 0 ? "" : ", ", ordered[i].second,
                          one_line(abbreviate(ordered[i].first, 24)));
  }
  return others == 0 ? text : fmt::format("{}, {} others", text, others);
}

class Run {
 public:
  Run(const Found& found, Configs& configs, const Settings& settings)
      : found_(found), inputs_(found.inputs), configs_(configs), settings_(settings) {}

  Result run() {
    Report& report = result_.report;
    report.tool = {"ckpt-lint", CKPT_VERSION, "Validates checkpoints."};
    report.fail_on = settings_.fail_on;
    std::optional<BaselineFindings> old;
    if (settings_.baseline && !settings_.update_baseline) old = BaselineFindings::read(*settings_.baseline);
    const Plan plan = make_plan(inputs_, configs_, report);
    if (!inputs_.empty()) configs_.check_selection();
    report.inputs.resize(inputs_.size());
    for (const report::Trouble& one : found_.no_match) add_trouble(one.what, one);
    open_base();
    add_files(plan, judge_all(inputs_, plan, usable_base(), settings_));
    if (usable_base() != nullptr) complain(base_->path, show::change_of(*base_));
    add_config_findings(plan.sets, uses_, absolute_paths(found_), settings_.today, report);
    add_skipped();
    add_not_read();
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

  void add_trouble(const std::string& path, report::Trouble trouble) {
    complain(path, trouble.text);
    result_.report.troubles.push_back(std::move(trouble));
  }

  // A rule that somebody turned on for this very run, or for these very files, must not pass by not running.
  void add_skipped() {
    const auto runs = rule_runs(result_.files);
    for (const report::RuleInfo& info : result_.report.rules) {
      const auto found = runs.find(info.id);
      if (found == runs.end()) continue;
      if (found->second.ran) {
        ++ran_;
        continue;
      }
      const auto& [ran, rule, scope] = found->second;
      const Running why = running(*rule, *scope);
      const bool no_base = why == Running::kNoBase && settings_.against;
      std::string reason(no_base ? "the base cannot be read" : reason_of(why, *scope));
      if (rule->asked && why == Running::kNoBase && !settings_.against)
        add_trouble(rule->origin, {info.id, fmt::format("the rule {} did not run: {}", info.id, reason)});
      result_.report.skipped.push_back({info.id, std::move(reason)});
    }
  }

  void add_not_read() {
    result_.report.not_read = found_.not_read;
    if (!found_.not_read.empty()) result_.report.remarks.push_back(not_read_text(found_.not_read));
  }

  // A base that cannot be read leaves the cross rules without an answer: status 2, not silence.
  void open_base() {
    if (!settings_.against) return;
    base_ = settings_.open ? settings_.open(*settings_.against) : open_input(*settings_.against);
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
      uses_[plan.set_of[i]].suppressions.add(out.use);
      uses_[plan.set_of[i]].selects.add(out.selects);
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
    set_verdict(report, plan.sets, {inputs_.size(), failed_, ran_}, status_);
  }

  const Found& found_;
  const std::vector<Input>& inputs_;
  Configs& configs_;
  const Settings& settings_;
  Result result_;
  std::optional<Opened> base_;
  std::vector<Use> uses_;   // of each set of the plan
  std::size_t failed_ = 0;  // inputs with troubles
  std::size_t ran_ = 0;     // rules that ran on at least one input
  int status_ = kClean;
};

}  // namespace

Result lint_files(const Found& found, Configs& configs, const Settings& settings) {
  return Run(found, configs, settings).run();
}

}  // namespace ckpt::lint
