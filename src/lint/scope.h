// Which rules a file is judged by in the end. A rule that did not run is silent whatever the file holds: its
// suppressions are not unused, and a test must not take its silence for an answer.
#pragma once

#include <string>
#include <string_view>

#include "lint/rule_set.h"

namespace ckpt::lint {

struct Scope {
  bool opened = true;   // false: only rules about unreadable files ran
  bool numbers = true;  // false: a tensor could not be read, rules about numbers had none
  bool based = false;   // there was a readable base for the rules that compare two files
};

// "weights-nonfinite is off for this file"; "" if the rule ran. `rules` is the set resolved for the file.
std::string why_not_run(const RuleSet& rules, std::string_view id, const Scope& scope);

}  // namespace ckpt::lint
