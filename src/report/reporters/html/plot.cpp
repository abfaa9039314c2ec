#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "report/reporters/html/markup.h"
#include "report/reporters/html/pictures.h"
#include "report/reporters/html/svg.h"

namespace ckpt::report::html {
namespace {

constexpr double kWidth = 640, kHeight = 200, kLeft = 64, kRight = 160, kTop = 12, kBottom = 38;
constexpr std::size_t kSeries = 6;  // that a plot tells apart, by color, dash and name
constexpr std::size_t kRows = 300;  // of the table of numbers
constexpr std::size_t kName = 20;   // characters of a series' name beside its line
constexpr double kLineHeight = 13;  // between such names
constexpr double kSparkWidth = 120, kSparkHeight = 22;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
  // Never empty inside, so that a constant is in the middle.
  void widen() {
    if (high > low) return;
    const double by = low == 0 ? 1 : std::abs(low) / 2;
    low -= by;
    high += by;
  }
};

// Steps of 1, 2 or 5 times a power of ten, about `count` of them.
std::vector<double> ticks(const Range& range, int count) {
  const double rough = (range.high - range.low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double step = rough / power < 1.5   ? power
                      : rough / power < 3.5 ? 2 * power
                      : rough / power < 7.5 ? 5 * power
                                            : 10 * power;
  std::vector<double> out;
  const double first = std::ceil(range.low / step);
  for (int i = 0; i <= 2 * count && (first + i) * step <= range.high; ++i) out.push_back((first + i) * step);
  return out;
}

class Axes {
 public:
  explicit Axes(const Plot& plot) : log_(plot.log_scale) {
    for (const Series& series : plot.series)
      for (std::size_t i = 0; i < series.x.size(); ++i) log_ = log_ && !(series.y[i] <= 0);
    for (const Series& series : plot.series)
      for (std::size_t i = 0; i < series.x.size(); ++i) {
        if (!std::isfinite(series.y[i])) continue;
        x_.add(series.x[i]);
        y_.add(scaled(series.y[i]));
      }
    if (empty()) return;
    x_.widen();
    y_.widen();
  }
  bool empty() const { return x_.empty() || y_.empty(); }
  double x(double value) const { return kLeft + (value - x_.low) / (x_.high - x_.low) * kWidth; }
  double y(double value) const { return at(scaled(value)); }

  void draw(Svg& svg, const Plot& plot) const {
    for (const double tick : ticks(y_, 4)) {
      svg.line(kLeft, at(tick), kLeft + kWidth, at(tick), "gridline");
      svg.text(kLeft - 6, at(tick) + 4, number(log_ ? std::pow(10, tick) : tick), "tick", "end");
    }
    for (const double tick : ticks(x_, 6)) {
      svg.line(x(tick), kTop + kHeight, x(tick), kTop + kHeight + 4, "axis");
      svg.text(x(tick), kTop + kHeight + 16, fmt::format("{:.10g}", tick), "tick", "middle");
    }
    svg.line(kLeft, kTop + kHeight, kLeft + kWidth, kTop + kHeight, "axis");
    svg.text(kLeft + kWidth / 2, kTop + kHeight + 32, plot.x_name, "label", "middle");
  }

 private:
  double scaled(double value) const { return log_ ? std::log10(value) : value; }
  double at(double value) const { return kTop + kHeight - (value - y_.low) / (y_.high - y_.low) * kHeight; }

  bool log_;
  Range x_, y_;
};

// A path through the points, interrupted where a value is not finite.
template <class X, class Y>
std::string path_through(std::size_t count, const X& x, const Y& y) {
  std::string data;
  bool drawing = false;
  for (std::size_t i = 0; i < count; ++i) {
    const double value = y(i);
    if (!std::isfinite(value)) {
      drawing = false;
      continue;
    }
    data += fmt::format("{}{} {}", drawing ? "L" : "M", coordinate(x(i)), coordinate(value));
    drawing = true;
  }
  return data;
}

const double* first_finite(const Series& series) {
  const auto found =
      std::find_if(series.y.begin(), series.y.end(), [](double y) { return std::isfinite(y); });
  return found == series.y.end() ? nullptr : &*found;
}

const double* last_finite(const Series& series) {
  for (std::size_t i = series.y.size(); i-- > 0;)
    if (std::isfinite(series.y[i])) return &series.y[i];
  return nullptr;
}

void draw_series(Svg& svg, const Series& series, const Axes& axes, std::size_t index, double& label_at) {
  const std::string css = fmt::format("line s{}", index + 1);
  svg.path(path_through(
               series.x.size(), [&](std::size_t i) { return axes.x(series.x[i]); },
               [&](std::size_t i) { return std::isfinite(series.y[i]) ? axes.y(series.y[i]) : series.y[i]; }),
           css);
  if (series.x.size() <= 60)
    for (std::size_t i = 0; i < series.x.size(); ++i)
      if (std::isfinite(series.y[i]))
        svg.circle(axes.x(series.x[i]), axes.y(series.y[i]), 2.5, fmt::format("s{}", index + 1),
                   fmt::format("{} at {:.10g}: {}", cut_front(series.name, kName), series.x[i],
                               number(series.y[i])));
  const double* const last = last_finite(series);
  if (last == nullptr) return;
  label_at = std::max(axes.y(*last) + 4, label_at + kLineHeight);
  svg.text(kLeft + kWidth + 8, label_at, cut_front(series.name, kName), fmt::format("label s{}t", index + 1));
}

std::string description(const Plot& plot) {
  std::string text;
  for (const Series& series : plot.series) {
    Range range;
    for (const double value : series.y) range.add(value);
    const double* const last = last_finite(series);
    if (last == nullptr) continue;
    text += fmt::format("{}{}: from {} to {}, last {}", text.empty() ? "" : "; ",
                        cut_front(series.name, kName), number(range.low), number(range.high), number(*last));
  }
  return text;
}

std::string picture(const Plot& plot, const std::string& id) {
  const Axes axes(plot);
  if (axes.empty()) return {};
  Svg svg(kLeft + kWidth + kRight, kTop + kHeight + kBottom, id, plot.title, description(plot));
  axes.draw(svg, plot);
  std::vector<std::size_t> order;  // names from top to bottom, so that none covers another
  for (std::size_t i = 0; i < plot.series.size(); ++i) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const double* const x = last_finite(plot.series[a]);
    const double* const y = last_finite(plot.series[b]);
    return x != nullptr && y != nullptr && *x > *y;
  });
  double label_at = 0;
  for (const std::size_t i : order) draw_series(svg, plot.series[i], axes, i, label_at);
  return fmt::format("<div class=\"scroll\">{}</div>\n", svg.finish());
}

// One row an x, one column a series.
std::string table(const Plot& plot) {
  std::vector<double> all;
  for (const Series& series : plot.series) all.insert(all.end(), series.x.begin(), series.x.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  const std::size_t shown = std::min(all.size(), kRows);
  std::vector<std::string> titles = {escape(plot.x_name)};
  for (const Series& series : plot.series) titles.push_back(escape(series.name, 80));
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = all.size() - shown; i < all.size(); ++i) {
    rows.push_back({fmt::format("{:.10g}", all[i])});
    for (const Series& series : plot.series) {
      const auto at = std::lower_bound(series.x.begin(), series.x.end(), all[i]);
      const bool there = at != series.x.end() && *at == all[i];
      rows.back().push_back(there ? number(series.y[static_cast<std::size_t>(at - series.x.begin())]) : "");
    }
  }
  return numbers_table(shown < all.size() ? fmt::format("The numbers (the last {} of {})", shown, all.size())
                                          : std::string("The numbers"),
                       titles, rows);
}

std::string sparkline_table(const Plot& plot, const std::string& id) {
  std::string out =
      "<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">" + escape(plot.y_name) + "</th>";
  for (const char* title : {"", "first", "last", "least", "most"})
    out += fmt::format("<th scope=\"col\">{}</th>", title);
  out += "</tr></thead>\n<tbody>\n";
  const std::size_t shown = std::min(plot.series.size(), kRows);
  for (std::size_t i = 0; i < shown; ++i) {
    const Series& series = plot.series[i];
    Range range;
    for (const double value : series.y) range.add(value);
    out += fmt::format("<tr data-s><th scope=\"row\">{}</th><td>{}</td>", escape(series.name, 120),
                       sparkline(series.y, fmt::format("{}-{}", id, i), series.name));
    if (range.empty()) {
      out += "<td></td><td></td><td></td><td></td></tr>\n";
      continue;
    }
    for (const double value : {*first_finite(series), series.y.back(), range.low, range.high})
      out += fmt::format("<td class=\"n\">{}</td>", number(value));
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n";
  if (shown < plot.series.size())
    out += fmt::format("<p class=\"more\">{} more rows; --format json has them all</p>\n",
                       plot.series.size() - shown);
  return out;
}

}  // namespace

std::string sparkline(std::span<const double> values, const std::string& id, std::string_view title) {
  Range range;
  std::size_t finite = 0;
  for (const double value : values) {
    range.add(value);
    finite += std::isfinite(value) ? 1U : 0U;
  }
  if (finite < 2) return {};
  range.widen();
  const auto x = [&](std::size_t i) {
    return 3 + static_cast<double>(i) / static_cast<double>(values.size() - 1) * (kSparkWidth - 6);
  };
  const auto y = [&](std::size_t i) {
    return kSparkHeight - 3 - (values[i] - range.low) / (range.high - range.low) * (kSparkHeight - 6);
  };
  Svg svg(kSparkWidth, kSparkHeight, id, cut_front(title, 80),
          fmt::format("{} values from {} to {}", finite, number(range.low), number(range.high)));
  svg.path(path_through(values.size(), x, y), "line s1");
  for (std::size_t i = values.size(); i-- > 0;) {
    if (!std::isfinite(values[i])) continue;
    svg.circle(x(i), y(i), 2, "s1");
    break;
  }
  return svg.finish();
}

std::string draw(const Plot& plot, const std::string& id) {
  const bool many = plot.series.size() > kSeries;
  const std::string body = many ? sparkline_table(plot, id) : picture(plot, id);
  if (body.empty() || plot.series.empty()) return {};
  return fmt::format("<figure>\n<figcaption><b>{}</b> {}</figcaption>\n{}{}</figure>\n", escape(plot.title),
                     escape(plot.note), body, many ? "" : table(plot));
}

}  // namespace ckpt::report::html
