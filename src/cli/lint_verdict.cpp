#include "cli/lint_verdict.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/exit_status.h"
#include "cli/lint_run.h"
#include "lint/layers.h"

namespace ckpt::cli {
namespace {

using report::Finding;
using report::Level;

struct Tally {
  std::uint64_t errors = 0, warnings = 0, notes = 0, suppressed = 0, unchanged = 0;
  const Finding* worst = nullptr;  // the first of the highest level that counts
};

Tally tally(const report::Report& report) {
  Tally result;
  for (const Finding& finding : report.findings) {
    if (finding.suppression)
      ++result.suppressed;
    else if (!counts(finding))
      ++result.unchanged;
    else {
      (finding.level == Level::kError     ? result.errors
       : finding.level == Level::kWarning ? result.warnings
                                          : result.notes) += 1;
      if (result.worst == nullptr || result.worst->level < finding.level) result.worst = &finding;
    }
  }
  return result;
}

std::string rules_text(const LintConfigs& configs) {
  if (configs.sets().size() != 1) return plural(configs.sets().size(), "rule set");
  const lint::RuleSet& rules = *configs.sets().front();
  const auto on =
      std::count_if(rules.rules.begin(), rules.rules.end(), [](const lint::Rule& rule) { return rule.on; });
  return fmt::format("{} of {}", plural(static_cast<std::uint64_t>(on), "rule"), one_line(rules.name));
}

// A team's own rule is explained by its rule file alone.
std::string explain_text(const LintConfigs& configs, const std::string& id) {
  const auto has = [&](const std::vector<lint::Rule>& rules) {
    return std::any_of(rules.begin(), rules.end(),
                       [&](const lint::Rule& rule) { return rule.info.id == id; });
  };
  for (const auto& set : configs.sets())
    if (set->layers != nullptr && !has(set->layers->catalog) && has(set->rules))
      return fmt::format("ckpt-lint --rules {} --explain {}", one_line(set->name), id);
  return fmt::format("ckpt-lint --explain {}", id);
}

std::string verdict_text(const Tally& tally, const LintConfigs& configs, std::size_t files,
                         std::size_t failed) {
  std::string text;
  const auto add = [&](std::uint64_t count, std::string what) {
    if (count > 0) text += (text.empty() ? "" : ", ") + std::move(what);
  };
  add(tally.errors, plural(tally.errors, "error"));
  add(tally.warnings, plural(tally.warnings, "warning"));
  add(tally.notes, plural(tally.notes, "note"));
  if (text.empty()) text = "clean";
  add(tally.suppressed, fmt::format("{} suppressed", tally.suppressed));
  add(tally.unchanged, fmt::format("{} unchanged since the baseline", tally.unchanged));
  text += fmt::format(" in {}", plural(files, "checkpoint"));
  if (failed > 0) text += fmt::format(" ({} unreadable)", failed);
  text += fmt::format(" · {}", rules_text(configs));
  if (tally.worst != nullptr)
    text += fmt::format(" · {} tells more", explain_text(configs, tally.worst->rule_id));
  return text;
}

std::string exit_reason(int status) {
  if (status == kTrouble) return "At least one input could not be checked.";
  return status == kFound ? "Findings at or above the chosen level were reported."
                          : "No finding at or above the chosen level.";
}

}  // namespace

void set_verdict(report::Report& report, const LintConfigs& configs, std::size_t files, std::size_t failed,
                 int status) {
  const Tally found = tally(report);
  report.verdict = verdict_text(found, configs, files, failed);
  report.verdict_style = found.errors > 0     ? report::Style::kError
                         : found.warnings > 0 ? report::Style::kWarning
                                              : report::Style::kGood;
  report.exit_status = status;
  report.exit_reason = exit_reason(status);
}

}  // namespace ckpt::cli
