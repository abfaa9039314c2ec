// Applies the suppressions of rule files: suppressed findings do not count. It works on the findings of one
// file at a time, in any order; at the end of the run it is known which suppressions have expired or matched
// nothing.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lint/config_finding.h"
#include "lint/rule_set.h"
#include "lint/scope.h"
#include "report/finding.h"
#include "training/opened.h"

namespace ckpt::lint {

// What happened to each suppression of a rule set; add up those of several files.
struct SuppressionUse {
  struct One {
    std::size_t findings = 0;  // suppressed by it
    std::size_t tried = 0;     // files that it is for and that its rule ran on
  };
  std::vector<One> each;  // as long as RuleSet::suppressions

  void add(const SuppressionUse& other);
};

// Marks the findings of `input` that a suppression covers; the first one that does is named. `place` is the
// path that `files` is compared with, `rules` the set resolved for the file, `scope` says which of them ran,
// `today` is a day (see is_date).
SuppressionUse suppress(const RuleSet& rules, const Opened& input, const std::string& place,
                        const Scope& scope, const std::string& today, std::vector<report::Finding>& findings);

// Findings of the rules config-suppression-expired and config-suppression-unused, if `rules` has them on: one
// for each suppression that has expired, and one for each that matched nothing in the files it was tried on.
std::vector<ConfigFinding> judge_suppressions(const RuleSet& rules, const SuppressionUse& use,
                                              const std::string& today);

}  // namespace ckpt::lint
