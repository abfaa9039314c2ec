#include "lint/statistics.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace ckpt::lint {
namespace {

using report::Finding;
using report::Level;
using report::Style;

struct Count {
  std::string rule, title;
  Level level = Level::kNote;  // of the worst
  std::uint64_t findings = 0;
  std::set<std::size_t> files;
};

std::vector<Count> count_by_rule(const report::Report& report) {
  std::map<std::string, Count> by_rule;
  for (const Finding& finding : report.findings) {
    if (!report::counts(finding)) continue;
    Count& count = by_rule[finding.rule_id];
    count.level = count.findings == 0 ? finding.level : std::max(count.level, finding.level);
    ++count.findings;
    count.files.insert(finding.where.input);
  }
  std::vector<Count> counts;
  for (auto& [rule, count] : by_rule) {
    count.rule = rule;
    for (const report::RuleInfo& info : report.rules)
      if (info.id == rule) count.title = info.title;
    counts.push_back(std::move(count));
  }
  std::stable_sort(counts.begin(), counts.end(),
                   [](const Count& a, const Count& b) { return a.findings > b.findings; });
  return counts;
}

Style style_of(Level level) {
  return level == Level::kError ? Style::kError : level == Level::kWarning ? Style::kWarning : Style::kNote;
}

report::Line line_of(const Count& count) {
  report::Line line;
  line.cells = {{fmt::format("{}", count.findings), Style::kStrong, true},
                {std::string(to_string(count.level)), style_of(count.level)},
                {one_line(count.rule)},
                {"in " + plural(count.files.size(), "file")},
                {one_line(count.title), Style::kDim, false, 1}};
  return line;
}

report::Object row_of(const Count& count) {
  return {{"rule", count.rule},
          {"level", to_string(count.level)},
          {"findings", count.findings},
          {"files", std::uint64_t{count.files.size()}}};
}

}  // namespace

void add_statistics(report::Report& report) {
  const auto counts = std::make_shared<const std::vector<Count>>(count_by_rule(report));
  report.overview = true;
  if (!counts->empty()) {
    std::vector<report::Line> lines;
    for (const Count& count : *counts) lines.push_back(line_of(count));
    report.sections.push_back(
        report::make_section("findings", "by rule, of " + plural(counts->size(), "rule"), std::move(lines)));
  }
  report.tables.push_back(
      {"statistics", counts->size(), [counts](std::size_t i) { return row_of(counts->at(i)); }});
}

}  // namespace ckpt::lint
