#include "lint/scope.h"

#include <algorithm>

#include <fmt/format.h>

namespace ckpt::lint {

std::string why_not_run(const RuleSet& rules, std::string_view id, const Scope& scope) {
  const auto rule = std::find_if(rules.rules.begin(), rules.rules.end(),
                                 [&](const Rule& one) { return one.info.id == id; });
  if (rule == rules.rules.end() || !rule->on) return fmt::format("{} is off for this file", id);
  const auto needs = [&](int what) { return (rule->check->needs & what) != 0; };
  if (needs(kBase | kDeltas | kDiff) && !scope.based) return fmt::format("{} needs 'against'", id);
  if (!scope.opened && !needs(kUnreadable)) return fmt::format("{} did not run: the file cannot be read", id);
  if (!scope.numbers && needs(kStats | kDeltas | kDiff))
    return fmt::format("{} did not run: a tensor cannot be read", id);
  return "";
}

}  // namespace ckpt::lint
