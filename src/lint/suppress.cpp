#include "lint/suppress.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "training/weights.h"

namespace ckpt::lint {
namespace {

bool expired(const Suppression& one, const std::string& today) {
  return !one.expires.empty() && one.expires < today;
}

bool is_for(const Suppression& one, const std::string& absolute) {
  return one.files.empty() || std::any_of(one.files.begin(), one.files.end(),
                                          [&](const FileGlob& glob) { return glob.matches(absolute); });
}

bool covers(const Suppression& one, const Opened& input, const report::Finding& finding) {
  if (one.rule != finding.rule_id) return false;
  if (one.paths.empty()) return true;
  return PlaceNames(input.items, finding.where.path).matches(one.paths);
}

ConfigFinding about(const Rule& rule, const Suppression& one, std::size_t tried) {
  return config_finding(rule, one.source, fmt::format("suppressions[{}]", one.index), rule.string("state"),
                        {{"rule", one.rule},
                         {"source", one_line(one.position)},
                         {"expires", one.expires},
                         {"count", std::to_string(tried)},
                         {"reason", one_line(one.reason)}});
}

}  // namespace

void SuppressionUse::add(const SuppressionUse& other) {
  each.resize(std::max(each.size(), other.each.size()));
  for (std::size_t i = 0; i < other.each.size(); ++i) {
    each[i].findings += other.each[i].findings;
    each[i].tried += other.each[i].tried;
  }
}

SuppressionUse suppress(const RuleSet& rules, const Opened& input, const std::string& place,
                        const Scope& scope, const std::string& today,
                        std::vector<report::Finding>& findings) {
  SuppressionUse use;
  use.each.resize(rules.suppressions.size());
  if (rules.suppressions.empty()) return use;
  const std::string path = absolute_path(place);
  for (std::size_t i = 0; i < rules.suppressions.size(); ++i) {
    const Suppression& one = rules.suppressions[i];
    if (!is_for(one, path)) continue;
    if (why_not_run(rules, one.rule, scope).empty()) ++use.each[i].tried;
    if (expired(one, today)) continue;
    for (report::Finding& finding : findings) {
      if (!covers(one, input, finding)) continue;
      ++use.each[i].findings;
      if (!finding.suppression) finding.suppression = report::Suppression{one.reason, one.position};
    }
  }
  return use;
}

std::vector<ConfigFinding> judge_suppressions(const RuleSet& rules, const SuppressionUse& use,
                                              const std::string& today) {
  std::vector<ConfigFinding> result;
  for (const Rule& rule : rules.rules) {
    if (!rule.on || rule.check->name != "suppression") continue;
    const bool about_expired = rule.string("state") == "expired";
    for (std::size_t i = 0; i < rules.suppressions.size(); ++i) {
      const Suppression& one = rules.suppressions[i];
      const bool tried = i < use.each.size() && use.each[i].tried > 0;
      const bool told =
          about_expired ? expired(one, today) : !expired(one, today) && tried && use.each[i].findings == 0;
      if (told) result.push_back(about(rule, one, tried ? use.each[i].tried : 0));
    }
  }
  return result;
}

}  // namespace ckpt::lint
