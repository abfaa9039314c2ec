#include "report/report.h"

#include <memory>
#include <utility>

namespace ckpt::report {

Section make_section(std::string title, std::string note, std::vector<Line> lines) {
  Section section;
  section.title = std::move(title);
  section.note = std::move(note);
  section.size = lines.size();
  // Shared, because a std::function is copied with its section.
  auto kept = std::make_shared<const std::vector<Line>>(std::move(lines));
  section.line = [kept](std::size_t i) { return kept->at(i); };
  return section;
}

Counts count(const Report& report) {
  Counts result;
  for (const Finding& finding : report.findings) {
    if (is_suppressed(finding)) {
      ++result.suppressed;
      continue;
    }
    if (!counts(finding)) {
      ++result.unchanged;
      continue;
    }
    switch (finding.level) {
      case Level::kError: ++result.errors; break;
      case Level::kWarning: ++result.warnings; break;
      case Level::kNote: ++result.notes; break;
    }
  }
  return result;
}

bool fails(const Report& report, const Finding& finding) {
  return report.fail_on && counts(finding) && finding.level >= *report.fail_on;
}

}  // namespace ckpt::report
