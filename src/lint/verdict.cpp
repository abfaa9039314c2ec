#include "lint/verdict.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/layers.h"
#include "report/exit_status.h"

namespace ckpt::lint {
namespace {

using report::Finding;

// The first of the highest level that counts; null without one.
const Finding* worst_of(const report::Report& report) {
  const Finding* worst = nullptr;
  for (const Finding& finding : report.findings)
    if (report::counts(finding) && (worst == nullptr || worst->level < finding.level)) worst = &finding;
  return worst;
}

std::string rules_text(const std::vector<RuleSetPtr>& sets) {
  if (sets.size() != 1) return plural(sets.size(), "rule set");
  const RuleSet& rules = *sets.front();
  const auto on =
      std::count_if(rules.rules.begin(), rules.rules.end(), [](const Rule& rule) { return rule.on; });
  return fmt::format("{} of {}", plural(static_cast<std::uint64_t>(on), "rule"), one_line(rules.name));
}

// A team's own rule can only be explained with its rule file.
std::string explain_text(const std::vector<RuleSetPtr>& sets, const std::string& id) {
  const auto has = [&](const std::vector<Rule>& rules) {
    return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.info.id == id; });
  };
  for (const auto& set : sets)
    if (set->layers != nullptr && !has(set->layers->catalog) && has(set->rules))
      return fmt::format("ckpt-lint --rules {} --explain {}", one_line(set->name), id);
  return fmt::format("ckpt-lint --explain {}", id);
}

std::string verdict_text(const report::Counts& found, const std::vector<RuleSetPtr>& sets, std::size_t files,
                         std::size_t failed) {
  std::string text;
  const auto add = [&](std::uint64_t count, std::string what) {
    if (count > 0) text += (text.empty() ? "" : ", ") + std::move(what);
  };
  add(found.errors, plural(found.errors, "error"));
  add(found.warnings, plural(found.warnings, "warning"));
  add(found.notes, plural(found.notes, "note"));
  if (text.empty()) text = "clean";
  add(found.suppressed, fmt::format("{} suppressed", found.suppressed));
  add(found.unchanged, fmt::format("{} unchanged since the baseline", found.unchanged));
  text += fmt::format(" in {}", plural(files, "checkpoint"));
  if (failed > 0) text += fmt::format(" ({} unreadable)", failed);
  text += fmt::format(" · {}", rules_text(sets));
  return text;
}

std::string exit_reason(int status) {
  if (status == kTrouble) return "At least one input could not be checked.";
  return status == kFound ? "There are findings at or above the --fail-on level."
                          : "No finding at or above the --fail-on level.";
}

}  // namespace

void set_verdict(report::Report& report, const std::vector<RuleSetPtr>& sets, std::size_t files,
                 std::size_t failed, int status) {
  const report::Counts found = count(report);
  report.verdict = verdict_text(found, sets, files, failed);
  if (const Finding* worst = worst_of(report))
    report.hint = fmt::format("run {} for details", explain_text(sets, worst->rule_id));
  report.verdict_style = found.errors > 0     ? report::Style::kError
                         : found.warnings > 0 ? report::Style::kWarning
                                              : report::Style::kGood;
  report.exit_status = status;
  report.exit_reason = exit_reason(status);
}

}  // namespace ckpt::lint
