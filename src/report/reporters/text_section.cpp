#include "report/reporters/text_section.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "report/reporters/columns.h"

namespace ckpt::report {
namespace {

constexpr std::size_t kCellColumns =
    60;  // a longer cell is written in full, without aligning the others to it
constexpr std::size_t kMeasureAll =
    10'000;  // only this many lines are measured, because they are built twice
constexpr std::size_t kMeasureHead = 1'000;
constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastElided = 16;  // a shorter name says nothing
constexpr std::size_t kLastColumns = 40;  // a line's last words may be cut; other cells need not make room

struct MarkLook {
  std::string_view text;
  Style style;
};

MarkLook look_of(Mark mark) {
  switch (mark) {
    case Mark::kNone: return {" ", Style::kPlain};
    case Mark::kAdded: return {"+", Style::kGood};
    case Mark::kRemoved: return {"-", Style::kError};
    case Mark::kChanged: return {"~", Style::kWarning};
    case Mark::kSame: return {"=", Style::kDim};
  }
  return {};
}

}  // namespace

SectionLayout::SectionLayout(const Section& section, std::size_t width) : width_(width) {
  const Lines lines = measure(section);
  if (marks_) indent_ += 2;
  set_columns(lines);
  if (width_ == 0) return;
  leave_out(lines);
  shorten();
}

SectionLayout::Lines SectionLayout::measure(const Section& section) {
  Lines lines(section.size > kMeasureAll ? kMeasureHead : section.size);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Line line = section.line(i);
    marks_ = marks_ || line.mark != Mark::kNone;
    for (const Cell& cell : line.cells)
      lines[i].push_back({columns(harmless(cell.text)), cell.drop, cell.right, cell.elide});
  }
  return lines;
}

void SectionLayout::set_columns(const Lines& lines) {
  columns_.clear();
  for (const std::vector<CellSize>& line : lines) {
    if (line.size() > columns_.size()) columns_.resize(line.size());
    std::size_t end = line.size();
    while (end > 0 && (!is_kept(line[end - 1].drop) || line[end - 1].columns == 0)) --end;
    for (std::size_t k = 0; k < end; ++k) {
      if (!is_kept(line[k].drop)) continue;
      Column& column = columns_[k];
      column.kept = true;
      column.elide = column.elide || line[k].elide;
      const bool ends = k + 1 == end && !line[k].right;
      const bool follows = line[k].columns <= kCellColumns || (line[k].elide && width_ > 0);
      std::size_t& width = ends ? column.last : column.width;
      // A cell that is never omitted displaces others only up to a readable length.
      if (ends && line[k].drop == 0)
        width = std::max(width, std::min(line[k].columns, kLastColumns));
      else if (follows)
        width = std::max(width, line[k].columns);
    }
  }
}

// Columns of the widest line, if what can be shortened takes `most` at most.
std::size_t SectionLayout::widest(std::size_t most) const {
  std::size_t widest = 0;
  std::size_t start = indent_;
  for (const Column& column : columns_) {
    if (!column.kept) continue;
    const std::size_t width = column.elide ? std::min(column.width, most) : column.width;
    widest = std::max(widest, start + std::max(width, column.last));
    start += width + kGap;
  }
  return widest;
}

// While the widest line does not fit, the most dispensable cells are dropped; for a name only
// until it has 2/5 of the line.
void SectionLayout::leave_out(const Lines& lines) {
  std::set<std::uint8_t, std::greater<>> drops;
  for (const auto& line : lines)
    for (const CellSize& cell : line) drops.insert(cell.drop);
  for (const std::uint8_t drop : drops) {
    if (drop == 0 || widest(width_ * 2 / 5) <= width_) return;
    keep_ = static_cast<std::uint8_t>(drop - 1);
    set_columns(lines);
  }
}

void SectionLayout::shorten() {
  std::vector<std::size_t> order(columns_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [this](std::size_t a, std::size_t b) { return columns_[a].width > columns_[b].width; });
  for (const std::size_t k : order) {
    Column& column = columns_[k];
    const std::size_t needed = widest(column.width);
    if (needed <= width_) return;
    if (!column.elide || column.width <= kLeastElided) continue;
    column.width -= std::min(needed - width_, column.width - kLeastElided);
    column.shortened = true;
  }
}

// The cells of a line that stay, shortened where they may be: to their column, and if that is not enough as
// far as the line needs it.
std::vector<Cell> SectionLayout::fitted(const Line& line) const {
  std::vector<Cell> cells;
  std::size_t total = indent_;
  for (std::size_t k = 0; k < line.cells.size(); ++k) {
    Cell cell = line.cells[k];
    cell.text = is_kept(cell.drop) ? harmless(cell.text) : std::string();
    cells.push_back(std::move(cell));
  }
  while (!cells.empty() && cells.back().text.empty()) cells.pop_back();
  for (std::size_t k = 0; k < cells.size(); ++k) {
    const Column column = k < columns_.size() ? columns_[k] : Column{.kept = true};
    if (!column.kept) continue;
    if (column.shortened && cells[k].elide) cells[k].text = elide(cells[k].text, column.width);
    const std::size_t used = columns(cells[k].text);
    const bool wraps = k > 0 && !cells[k].right;
    if (k + 1 < cells.size())
      total += std::max(column.width, used) + kGap;
    else
      total += wraps ? std::min(used, kLastColumns) : used;
  }
  for (Cell& cell : cells) {
    if (width_ == 0 || total <= width_) break;
    const std::size_t used = columns(cell.text);
    if (!cell.elide || used <= kLeastElided) continue;
    const std::size_t less = std::min(total - width_, used - kLeastElided);
    cell.text = elide(cell.text, used - less);
    total -= less;
  }
  return cells;
}

// Where the lines of a wrapped cell begin: below its column, or further left if that leaves too little room.
std::size_t SectionLayout::wrap_column(std::size_t cell) const {
  std::size_t start = indent_;
  for (std::size_t k = 0; k < cell && k < columns_.size(); ++k)
    if (columns_[k].kept) start += columns_[k].width + kGap;
  return start <= width_ / 2 ? start : indent_ + kGap * 2;
}

TextLine SectionLayout::lay_out(const Line& line) const {
  TextLine out;
  out.add_spaces(2);
  if (marks_ || line.mark != Mark::kNone) {
    const MarkLook look = look_of(line.mark);
    if (line.mark != Mark::kNone) out.add(std::string(look.text), look.style);
    out.add_spaces(line.mark != Mark::kNone ? 1 : 2);
  }
  std::vector<Cell> cells = fitted(line);
  for (std::size_t k = 0; k < cells.size(); ++k) {
    Cell& cell = cells[k];
    if (k < columns_.size() && !columns_[k].kept) continue;
    const std::size_t width = k < columns_.size() ? columns_[k].width : 0;
    const std::size_t used = columns(cell.text);
    if (cell.right && used < width) out.add_spaces(width - used);
    if (k > 0 && k + 1 == cells.size() && !cell.right) out.wrap_from_here(wrap_column(k));
    out.add_padded(std::move(cell.text), cell.style, cell.right ? 0 : width, kGap);
  }
  return out;
}

}  // namespace ckpt::report
