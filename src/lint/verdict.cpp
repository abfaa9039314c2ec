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

std::string rules_text(const std::vector<RuleSetPtr>& sets, std::size_t ran) {
  return fmt::format("{} of {}", plural(ran, "rule"),
                     sets.size() == 1 ? one_line(sets.front()->name) : plural(sets.size(), "rule set"));
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

std::string verdict_text(const report::Report& report, const report::Counts& found,
                         const std::vector<RuleSetPtr>& sets, const Tally& tally) {
  if (tally.files == 0) return "nothing was checked";
  std::string text;
  const auto add = [&](std::uint64_t count, std::string what) {
    if (count > 0) text += (text.empty() ? "" : ", ") + std::move(what);
  };
  add(found.errors, plural(found.errors, "error"));
  add(found.warnings, plural(found.warnings, "warning"));
  add(found.notes, plural(found.notes, "note"));
  const auto not_run = static_cast<std::uint64_t>(
      std::count_if(report.troubles.begin(), report.troubles.end(), [&](const report::Trouble& one) {
        return std::any_of(report.skipped.begin(), report.skipped.end(),
                           [&](const report::Skipped& rule) { return rule.rule_id == one.what; });
      }));
  add(not_run, fmt::format("{} did not run", plural(not_run, "rule")));
  if (text.empty()) text = "clean";
  add(found.suppressed, fmt::format("{} suppressed", found.suppressed));
  add(found.unchanged, fmt::format("{} unchanged since the baseline", found.unchanged));
  text += fmt::format(" in {}", plural(tally.files, "checkpoint"));
  if (tally.failed > 0) text += fmt::format(" ({} unreadable)", tally.failed);
  text += fmt::format(" · {}", rules_text(sets, tally.rules));
  return text;
}

std::string exit_reason(const report::Report& report, const Tally& tally, int status) {
  if (status == kTrouble && tally.failed == 0 && !report.troubles.empty())
    return "Something that was asked for could not be checked.";
  if (status == kTrouble) return "At least one input could not be checked.";
  return status == kFound ? "There are findings at or above the --fail-on level."
                          : "No finding at or above the --fail-on level.";
}

}  // namespace

void set_verdict(report::Report& report, const std::vector<RuleSetPtr>& sets, const Tally& tally,
                 int status) {
  const report::Counts found = count(report);
  report.verdict = verdict_text(report, found, sets, tally);
  if (const Finding* worst = worst_of(report))
    report.hint = fmt::format("run {} for details", explain_text(sets, worst->rule_id));
  report.verdict_style = found.errors > 0 || !report.troubles.empty() ? report::Style::kError
                         : found.warnings > 0                         ? report::Style::kWarning
                                                                      : report::Style::kGood;
  report.exit_status = status;
  report.exit_reason = exit_reason(report, tally, status);
}

}  // namespace ckpt::lint
