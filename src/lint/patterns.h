// Patterns of rule files that match nothing: a misspelt one switches a rule, an override or a suppression
// off, and nobody sees it. Counted while files are judged, told at the end of the run.
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "lint/config_finding.h"
#include "lint/rule_set.h"
#include "lint/scope.h"
#include "training/opened.h"

namespace ckpt::lint {

// The patterns of `select`, by where they stand, with what they were tried on.
class SelectUse {
 public:
  // Of one file: what each pattern of a rule that ran on it selects. Checks that say so themselves are left
  // out.
  void count(const RuleSet& rules, const Opened& input, const Scope& scope);
  void add(const SelectUse& other);

  struct Place {
    std::string source;  // the rule file
    std::string path;    // "rules.backbone-frozen.select.tensors[0]"
    std::string pattern;
    auto operator<=>(const Place&) const = default;
  };
  struct Count {
    std::size_t files = 0, matched = 0;
  };
  const std::map<Place, Count>& places() const { return places_; }

 private:
  std::map<Place, Count> places_;
};

// Findings of rules on the check `pattern`. Patterns of `select` that matched in none of the files they were
// tried on; patterns over files (`files`, `exclude`) that match none of `paths`, the files of this run and
// those that were excluded, and no other file on disk: a run on one file says nothing about the rest.
std::vector<ConfigFinding> judge_patterns(const RuleSet& rules, const SelectUse& selects,
                                          const std::vector<std::string>& paths);

}  // namespace ckpt::lint
