#include "report/reporters/text_findings.h"

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/fold.h"
#include "base/natural.h"
#include "base/text.h"
#include "report/reporters/columns.h"
#include "report/reporters/finding_list.h"
#include "report/reporters/text_line.h"

namespace ckpt::report {
namespace {

// A longer path is written in full, without aligning the others to it.
constexpr std::size_t kPathColumns = 48;
constexpr std::size_t kLevelColumns = 7;  // "warning"
constexpr std::size_t kGap = 3;
constexpr std::size_t kIndent = 2 + kLevelColumns + 2;  // of what belongs to the line above
constexpr std::size_t kFewAlike = 3;                    // of one rule are listed one by one
constexpr std::size_t kMostLines = 6;                   // of one rule, before its places become one line
constexpr std::size_t kMostHeads = 8;

// What one line is about: a finding, or several of one rule and kind at places that differ in numbers.
struct Row {
  const Finding* first = nullptr;
  std::string place;
  std::string message;
  std::size_t count = 1;
};

using Findings = std::vector<const Finding*>;

std::string place_of(const Finding& finding) {
  std::string place = shown_path(finding.where);
  if (!finding.where.name.empty()) place += " (" + harmless(finding.where.name) + ")";
  return place;
}

std::string message_of(const Finding& finding) {
  return harmless(message_and_part(finding)) + (counts(finding) ? "" : " (in the baseline)");
}

Row row_of(const Finding& finding) { return {&finding, place_of(finding), message_of(finding), 1}; }

bool comes_before(const Finding* a, const Finding* b) {
  if (a->level != b->level) return a->level > b->level;
  if (a->rank != b->rank) return a->rank < b->rank;
  if (a->where.path != b->where.path) return natural_less(a->where.path, b->where.path);
  return *a < *b;
}

// What may share a line: the same rule, level and kind.
std::vector<Findings> alike(Findings findings) {
  std::stable_sort(findings.begin(), findings.end(), comes_before);
  std::map<std::tuple<std::string_view, Level, std::string_view, bool>, std::size_t> place;
  std::vector<Findings> groups;
  for (const Finding* finding : findings) {
    const auto [found, added] =
        place.try_emplace({finding->rule_id, finding->level, finding->kind, counts(*finding)}, groups.size());
    if (added) groups.emplace_back();
    groups[found->second].push_back(finding);
  }
  return groups;
}

std::vector<Row> folded(const Findings& group) {
  std::vector<FoldItem> items;
  for (std::uint32_t i = 0; i < group.size(); ++i) items.push_back({group[i]->where.path, "", 0, i});
  std::vector<Row> rows;
  for (const Fold& fold : fold_numbers(std::move(items))) {
    Row row = row_of(*group[fold.members.front()]);
    row.count = fold.members.size();
    if (row.count > 1) {
      row.place = harmless(fold.label);
      const bool same = std::all_of(fold.members.begin(), fold.members.end(),
                                    [&](std::uint32_t i) { return message_of(*group[i]) == row.message; });
      if (!same) row.message += fmt::format(" (the first of {})", row.count);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

// Too many places for a line each: the modules they are in.
Row one_line_of(const Findings& group, const std::vector<Row>& rows) {
  std::vector<std::string> places;
  for (const Row& row : rows) places.push_back(row.place);
  const Heads heads = fold_heads(places, kMostHeads);
  Row row = row_of(*group.front());
  std::string names;
  for (const std::string& head : heads.names) names += (names.empty() ? "" : ", ") + head;
  if (heads.left > 0) names += fmt::format(" and {} more", heads.left);
  row.message = fmt::format("{}; the first is {}: {}", names, row.place, row.message);
  row.place = heads.common.empty() ? "<root>" : heads.common;
  row.count = group.size();
  return row;
}

std::vector<Row> rows_of(const Findings& findings, bool verbose) {
  std::vector<Row> rows;
  for (const Findings& group : alike(findings)) {
    if (verbose || group.size() <= kFewAlike) {
      for (const Finding* finding : group) rows.push_back(row_of(*finding));
      continue;
    }
    std::vector<Row> lines = folded(group);
    if (lines.size() > kMostLines) lines = {one_line_of(group, lines)};
    std::move(lines.begin(), lines.end(), std::back_inserter(rows));
  }
  return rows;
}

class Block {
 public:
  Block(const Report& report, std::span<const Row> rows, const RenderOptions& options, std::ostream& out)
      : report_(report), options_(options), out_(out) {
    for (const Row& row : rows) {
      rule_columns_ = std::max(rule_columns_, columns(row.first->rule_id));
      const std::size_t place = columns(row.place);
      if (place <= kPathColumns) place_columns_ = std::max(place_columns_, place);
      if (row.count > 1) count_columns_ = std::max(count_columns_, columns(count_text(row)));
    }
    stacked_ = options.width > 0 && std::any_of(rows.begin(), rows.end(), [this](const Row& row) {
                 TextLine line = begin(row, row.place);
                 line.add(row.message);
                 return line.columns() > options_.width;
               });
  }

  void write(const Row& row) const {
    TextLine line = begin(row, stacked_ ? fitted(row) : row.place);
    // Where one message needs a line of its own, all have one: they are read one below the other.
    if (stacked_) line.wrap_from_here(kIndent, TextLine::NewLine::kAlways);
    line.add(row.message);
    line.write(out_, options_, options_.width);
  }

  void write_related(const Finding& finding) const {
    for (const Location& related : finding.related) {
      TextLine line;
      line.add(fmt::format("{}see {}: {}", std::string(kIndent, ' '),
                           harmless(report_.inputs.at(related.input).path), shown_path(related)),
               Style::kDim);
      if (!related.text.empty()) line.add(": " + harmless(related.text), Style::kDim);
      line.write(out_, options_, 0);
    }
  }

 private:
  static std::string count_text(const Row& row) { return fmt::format("x{}", row.count); }

  TextLine begin(const Row& row, const std::string& place) const {
    TextLine line;
    line.add("  ");
    line.add_padded(std::string(to_string(row.first->level)), style_of(row.first->level), kLevelColumns, 2);
    const std::string rule = harmless(row.first->rule_id);
    line.add(rule, Style::kPlain);
    line.link(link_of(rule));
    line.add_spaces(rule_columns_ - std::min(columns(rule), rule_columns_) + kGap);
    line.add_padded(place, Style::kStrong, stacked_ ? 0 : place_columns_, kGap);
    if (count_columns_ > 0)
      line.add_padded(row.count > 1 ? count_text(row) : "", Style::kStrong, stacked_ ? 0 : count_columns_,
                      kGap);
    return line;
  }

  // The place in what the line has left; its last part says the most.
  std::string fitted(const Row& row) const {
    const std::size_t around =
        kIndent + rule_columns_ + kGap + (row.count > 1 ? kGap + columns(count_text(row)) : 0);
    const std::size_t left = options_.width > around ? options_.width - around : 0;
    return left < kGap * 4 ? row.place : elide(row.place, left);
  }

  std::string link_of(const std::string& rule) const {
    const auto known = std::find_if(report_.rules.begin(), report_.rules.end(),
                                    [&](const RuleInfo& info) { return info.id == rule; });
    return known == report_.rules.end() ? "" : help_uri(rule);
  }

  const Report& report_;
  const RenderOptions& options_;
  std::ostream& out_;
  std::size_t rule_columns_ = 0;
  std::size_t place_columns_ = 0;
  std::size_t count_columns_ = 0;
  bool stacked_ = false;
};

}  // namespace

void write_text_findings(const Report& report, const Findings& findings, const RenderOptions& options,
                         std::ostream& out) {
  const std::vector<Row> rows = rows_of(findings, options.verbose);
  const Block block(report, rows, options, out);
  for (const Row& row : rows) {
    block.write(row);
    if (options.verbose) block.write_related(*row.first);
  }
}

}  // namespace ckpt::report
