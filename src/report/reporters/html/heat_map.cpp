#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "report/reporters/html/markup.h"
#include "report/reporters/html/pictures.h"
#include "report/reporters/html/svg.h"

namespace ckpt::report::html {
namespace {

constexpr int kLevels = 9;                // colors, classes h1 to h9
constexpr std::size_t kLabel = 40;        // characters of a row's or a column's name
constexpr std::size_t kWideColumns = 18;  // up to this many, cells are wide enough for their number
constexpr double kWide = 50, kWidest = 76, kNarrow = 22, kHeight = 20;
constexpr double kCells = 640;      // all columns together, if that is enough
constexpr double kCharacter = 6.8;  // of the labels, roughly
constexpr double kTurn = -40;       // degrees, of the columns' names
constexpr double kPad = 8;

// Levels of a logarithmic scale between the smallest and the largest cell.
struct Scale {
  double low = 0, high = 0;  // positive and finite; 0: there are none

  explicit Scale(const HeatMap& map) {
    for (const HeatCell& cell : map.cells) {
      if (!(cell.value > 0) || std::isinf(cell.value)) continue;
      low = low == 0 ? cell.value : std::min(low, cell.value);
      high = std::max(high, cell.value);
    }
    if (high < low * 1.5) low = high / 10;  // nearly the same: no differences that are none
  }

  int level(double value) const {
    if (!(value > 0)) return 0;
    if (std::isinf(value) || low == 0) return kLevels;
    const double part = (std::log(value) - std::log(low)) / (std::log(high) - std::log(low));
    return 1 + std::clamp(static_cast<int>(part * kLevels), 0, kLevels - 1);
  }
  double start(int level) const { return low * std::pow(high / low, (level - 1.0) / kLevels); }
};

std::string cell_text(const HeatCell& cell) {
  if (cell.nonfinite) return "NaN";
  if (std::isnan(cell.value)) return "";
  return number(cell.value);
}

// All cells are written alike: with an exponent, if one of them needs it.
bool needs_exponent(const HeatMap& map) {
  return std::any_of(map.cells.begin(), map.cells.end(), [](const HeatCell& cell) {
    return cell.value > 0 && !std::isinf(cell.value) && (cell.value < 0.01 || cell.value >= 1e5);
  });
}

std::string short_text(const HeatCell& cell, bool exponent) {
  if (cell.nonfinite || !exponent || !(cell.value > 0) || std::isinf(cell.value)) return cell_text(cell);
  return scientific(cell.value, cell.value < 1e-9 || cell.value >= 1e10 ? 1 : 2);
}

std::string css_of(const HeatCell& cell, const Scale& scale) {
  return cell.nonfinite ? "hn" : fmt::format("h{}", scale.level(cell.value));
}

std::size_t longest(const std::vector<std::string>& labels) {
  std::size_t most = 0;
  for (const std::string& label : labels)
    most = std::max(most, std::min(cut_front(label, kLabel).size(), kLabel + 2));
  return most;
}

std::string description(const HeatMap& map, const Scale& scale) {
  std::string text = fmt::format("{} rows and {} columns", map.rows.size(), map.columns.size());
  std::size_t largest = map.cells.size();
  for (std::size_t i = 0; i < map.cells.size(); ++i)
    if (std::isfinite(map.cells[i].value) &&
        (largest == map.cells.size() || map.cells[i].value > map.cells[largest].value))
      largest = i;
  if (scale.high > 0)
    text += fmt::format("; values from {} to {}; the largest is in {}, {}", number(scale.low),
                        number(scale.high), cut_front(map.rows[largest / map.columns.size()], kLabel),
                        cut_front(map.columns[largest % map.columns.size()], kLabel));
  const auto bad =
      std::count_if(map.cells.begin(), map.cells.end(), [](const HeatCell& c) { return c.nonfinite; });
  if (bad > 0) text += fmt::format("; {} with NaN or infinities", bad);
  return text;
}

std::string picture(const HeatMap& map, const Scale& scale, const std::string& id) {
  const bool wide = map.columns.size() <= kWideColumns;
  const bool exponent = needs_exponent(map);
  const double width =
      wide ? std::clamp(kCells / static_cast<double>(map.columns.size()), kWide, kWidest) : kNarrow;
  const double left = static_cast<double>(longest(map.rows)) * kCharacter + kPad;
  const double slope = static_cast<double>(longest(map.columns)) * kCharacter;
  const double top = slope * std::sin(-kTurn * 3.14159265 / 180) + 2 * kPad;
  const double right = slope * std::cos(kTurn * 3.14159265 / 180);
  const auto columns = static_cast<double>(map.columns.size());
  Svg svg(left + columns * width + std::max(right - width / 2, kPad),
          top + static_cast<double>(map.rows.size()) * kHeight + kPad, id, map.title,
          description(map, scale));
  for (std::size_t column = 0; column < map.columns.size(); ++column)
    svg.text(left + (static_cast<double>(column) + 0.5) * width, top - kPad,
             cut_front(map.columns[column], kLabel), "label", "start", kTurn);
  for (std::size_t row = 0; row < map.rows.size(); ++row) {
    const double y = top + static_cast<double>(row) * kHeight;
    const std::string label = cut_front(map.rows[row], kLabel);
    svg.text(left - kPad, y + 14, label, "label", "end");
    for (std::size_t column = 0; column < map.columns.size(); ++column) {
      const HeatCell& cell = map.cells[row * map.columns.size() + column];
      if (std::isnan(cell.value) && !cell.nonfinite) continue;
      const double x = left + static_cast<double>(column) * width;
      const std::string css = css_of(cell, scale);
      svg.rect(x, y, width - 1, kHeight - 1, css,
               fmt::format("{} · {}: {}", label, cut_front(map.columns[column], kLabel), cell_text(cell)));
      if (wide || cell.nonfinite)
        svg.text(x + (width - 1) / 2, y + 14, wide ? short_text(cell, exponent) : "!", css + "t", "middle");
      else if (cell.value == 0)
        svg.text(x + (width - 1) / 2, y + 14, "0", css + "t", "middle");
    }
  }
  return svg.finish();
}

std::string legend(const HeatMap& map, const Scale& scale) {
  std::string out = "<p class=\"legend\">";
  const auto add = [&](std::string_view css, const std::string& text) {
    out += fmt::format(
        "<span><svg width=\"14\" height=\"14\" aria-hidden=\"true\"><rect width=\"14\" height=\"14\" "
        "class=\"{}\"/></svg> {}</span>",
        css, text);
  };
  const auto any = [&](auto&& is) { return std::any_of(map.cells.begin(), map.cells.end(), is); };
  if (any([](const HeatCell& c) { return c.value == 0 && !c.nonfinite; })) add("h0", "0");
  for (int level = 1; scale.high > 0 && level <= kLevels; ++level)
    add(fmt::format("h{}", level), "≥ " + number(scale.start(level)));
  if (any([](const HeatCell& c) { return std::isinf(c.value); })) add("h9", "∞: was zero");
  if (any([](const HeatCell& c) { return c.nonfinite; })) add("hn", "NaN or infinities");
  return out + "</p>\n";
}

}  // namespace

std::string draw(const HeatMap& map, const std::string& id) {
  if (map.rows.empty() || map.columns.empty()) return {};
  const Scale scale(map);
  std::vector<std::string> titles = {"layer"};
  for (const std::string& column : map.columns) titles.push_back(escape(cut_front(column, kLabel)));
  std::vector<std::vector<std::string>> rows;
  for (std::size_t row = 0; row < map.rows.size(); ++row) {
    rows.push_back({escape(cut_front(map.rows[row], kLabel))});
    for (std::size_t column = 0; column < map.columns.size(); ++column)
      rows.back().push_back(cell_text(map.cells[row * map.columns.size() + column]));
  }
  return fmt::format(
      "<figure>\n<figcaption><b>{}</b> {}</figcaption>\n<div class=\"scroll\">{}</div>\n{}{}</figure>\n",
      escape(map.title), escape(map.note), picture(map, scale, id), legend(map, scale),
      numbers_table("The numbers", titles, rows));
}

}  // namespace ckpt::report::html
