// Suppressions of rule files at work: findings that somebody has decided about do not count. Applied to one
// file's findings at a time, in any order; at the end of the run it is known which of them are expired or
// were for nothing.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lint/rule_set.h"
#include "lint/scope.h"
#include "report/finding.h"
#include "training/opened.h"

namespace ckpt::lint {

// What happened to each suppression of a rule set; add up those of several files.
struct SuppressionUse {
  struct One {
    std::size_t findings = 0;  // suppressed by it
    std::size_t tried = 0;     // files in which its rule ran and which it is for
  };
  std::vector<One> each;  // as long as RuleSet::suppressions

  void add(const SuppressionUse& other);
};

// Marks the findings of `input` that a suppression covers; the first one that does is named. `rules` is the
// set resolved for the file, `scope` says which of them ran, `today` is a day (see is_date).
SuppressionUse suppress(const RuleSet& rules, const Opened& input, const Scope& scope,
                        const std::string& today, std::vector<report::Finding>& findings);

// Findings of the rules config-suppression-expired and config-suppression-unused, if `rules` has them on: one
// for each suppression that has expired, and for each that covered nothing in the files that it was tried on.
// Location::input is not set; `source` of the suppression says which rule file it is in (see
// Suppression::source).
struct ConfigFinding {
  std::string source;
  report::Finding finding;
};
std::vector<ConfigFinding> judge_suppressions(const RuleSet& rules, const SuppressionUse& use,
                                              const std::string& today);

}  // namespace ckpt::lint
