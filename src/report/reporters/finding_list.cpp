#include "report/reporters/finding_list.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "report/reporters/text_line.h"

namespace ckpt::report {

std::vector<const Finding*> shown_findings(const Report& report) {
  std::vector<const Finding*> shown;
  for (const Finding& finding : report.findings) {
    if (counts(finding)) shown.push_back(&finding);
  }
  return shown;
}

void sort_by_severity(std::vector<const Finding*>& findings) {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding* a, const Finding* b) { return a->level > b->level; });
}

std::string shown_path(const Location& where) { return where.path.empty() ? "<root>" : harmless(where.path); }

std::string message_and_part(const Finding& finding) {
  const auto& bytes = finding.where.bytes;
  if (!bytes || bytes->part.empty()) return finding.message;
  return fmt::format("{} (in {} at byte {})", finding.message, one_line(bytes->part), bytes->offset);
}

std::string place_and_message(const Finding& finding) {
  return harmless(shown_path(finding.where) + ": " + harmless(message_and_part(finding)));
}

}  // namespace ckpt::report
