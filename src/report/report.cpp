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
  Counts counts;
  for (const Finding& finding : report.findings) {
    if (is_suppressed(finding)) {
      ++counts.suppressed;
      continue;
    }
    switch (finding.level) {
      case Level::kError: ++counts.errors; break;
      case Level::kWarning: ++counts.warnings; break;
      case Level::kNote: ++counts.notes; break;
    }
  }
  return counts;
}

}  // namespace ckpt::report
