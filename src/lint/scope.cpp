#include "lint/scope.h"

#include <algorithm>

#include <fmt/format.h>

namespace ckpt::lint {

Running running(const Rule& rule, const Scope& scope) {
  const auto needs = [&](int what) { return (rule.check->needs & what) != 0; };
  if (!rule.on || rule.check->run == nullptr) return Running::kOff;
  if (!level_under(scope.profile, rule, rule.level)) return Running::kProfile;
  if (needs(kBase | kDeltas | kDiff) && !scope.based) return Running::kNoBase;
  if (!scope.opened && !needs(kUnreadable)) return Running::kUnreadable;
  if (scope.numbers) return Running::kYes;
  if (needs(kDiff)) return Running::kUnreadable;
  return needs(kStats | kDeltas) ? Running::kPartly : Running::kYes;
}

std::string_view reason_of(Running answer, const Scope& scope) {
  switch (answer) {
    case Running::kYes: return "";
    case Running::kOff: return "it is off";
    case Running::kProfile: return "the profile has no use for it";
    case Running::kNoBase: return "it needs --against BASE, a checkpoint to compare with";
    case Running::kPartly:
    case Running::kUnreadable: break;
  }
  return scope.opened ? "a tensor cannot be read" : "the file cannot be read";
}

std::string why_not_run(const RuleSet& rules, std::string_view id, const Scope& scope) {
  const auto rule = std::find_if(rules.rules.begin(), rules.rules.end(),
                                 [&](const Rule& one) { return one.info.id == id; });
  const Running answer = rule == rules.rules.end() ? Running::kOff : running(*rule, scope);
  if (answer == Running::kYes) return "";
  if (answer == Running::kOff) return fmt::format("{} is off for this file", id);
  if (answer == Running::kNoBase) return fmt::format("{} needs 'against'", id);  // the key of a test
  return fmt::format("{} did not run: {}", id, reason_of(answer, scope));
}

}  // namespace ckpt::lint
