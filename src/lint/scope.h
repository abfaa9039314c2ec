// Which rules a file is judged by in the end. A rule that did not run is silent whatever the file holds: its
// suppressions are not unused, a test must not take its silence for an answer, and the report says so.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lint/rule_set.h"

namespace ckpt::lint {

struct Scope {
  bool opened = true;   // false: only rules about unreadable files ran
  bool numbers = true;  // false: a tensor could not be read, rules about numbers had none
  bool based = false;   // there was a readable base for the rules that compare two files
  Profile profile = Profile::kResume;
  bool profile_asked = false;  // by --profile or by a rule file
};

// Does a rule run on a file, and if not, why? kPartly: it runs, but has no numbers to look at.
enum class Running : std::uint8_t { kYes, kPartly, kOff, kProfile, kNoBase, kUnreadable };
Running running(const Rule& rule, const Scope& scope);

// "needs --against BASE, a checkpoint to compare with"; "" for kYes.
std::string_view reason_of(Running answer, const Scope& scope);

// "weights-nonfinite is off for this file"; "" if the rule ran to its end. `rules` is the set resolved for
// the file.
std::string why_not_run(const RuleSet& rules, std::string_view id, const Scope& scope);

}  // namespace ckpt::lint
