#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/reporters/html/markup.h"
#include "report/reporters/html/pictures.h"
#include "report/reporters/html/svg.h"

namespace ckpt::report::html {
namespace {

constexpr double kWidth = 316, kHeight = 92, kBottom = 18, kTop = 6;
constexpr double kMiddle = 26;  // for the zeros, between the negative and the positive half
constexpr double kGap = 4;
constexpr double kTickDistance = 34;
constexpr double kEnds = 52;  // at both ends, the labels of the outermost bounds

std::uint64_t sum_of(const Histogram& h) {
  std::uint64_t sum = h.zeros + h.nan + h.posinf + h.neginf;
  for (std::size_t i = 0; i < h.positive.size(); ++i) sum += h.positive[i] + h.negative[i];
  return sum;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  const double share = 100 * static_cast<double>(part) / static_cast<double>(whole);
  if (share > 0 && share < 0.1) return "<0.1 %";
  return fmt::format("{:.{}f} %", share, share < 10 ? 1 : 0);
}

double bound(const Histogram& h, std::size_t bin) {
  return std::ldexp(1.0, h.exponent + static_cast<int>(bin));
}

// Bars of one half; `place(bin)` is the left edge of the bar.
template <class Place>
std::string bars(const std::vector<std::uint64_t>& counts, double scale, double width, const Place& place) {
  std::string data;
  const double base = kTop + kHeight;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const double height = std::max(static_cast<double>(counts[i]) * scale, 0.8);
    data += fmt::format("M{} {}h{}v-{}h-{}z", coordinate(place(i)), coordinate(base), coordinate(width),
                        coordinate(height), coordinate(width));
  }
  return data;
}

// Powers of ten along both halves, as far apart as their labels need.
template <class Left, class Right>
void add_ticks(Svg& svg, const Histogram& h, double bin_width, const Left& left, const Right& right) {
  const double bins_per_decade = std::log2(10.0);
  const int every = std::max(1, static_cast<int>(std::ceil(kTickDistance / (bin_width * bins_per_decade))));
  const int first = static_cast<int>(std::ceil(h.exponent / bins_per_decade));
  const int last =
      static_cast<int>(std::floor((h.exponent + static_cast<double>(h.positive.size())) / bins_per_decade));
  for (int decade = first; decade <= last; ++decade) {
    if (decade % every != 0) continue;
    const double at = decade * bins_per_decade - h.exponent;
    for (const bool negative : {false, true}) {
      const double x = negative ? left(at) : right(at);
      if (std::abs(x - kWidth / 2) < kMiddle || x < kEnds || x > kWidth - kEnds) continue;
      svg.line(x, kTop + kHeight, x, kTop + kHeight + 3, "axis");
      svg.text(x, kTop + kHeight + 14, fmt::format("{}1e{}", negative ? "-" : "", decade), "tick", "middle");
    }
  }
}

std::string description(const Histogram& h, std::uint64_t whole) {
  const auto most = [](const std::vector<std::uint64_t>& counts) {
    return static_cast<std::size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  };
  std::string text = fmt::format("{} elements, {} zero", whole, h.zeros);
  if (!h.positive.empty()) {
    const std::size_t p = most(h.positive);
    const std::size_t n = most(h.negative);
    text += fmt::format("; most positive ones from {} to {}, most negative ones from -{} to -{}",
                        number(bound(h, p)), number(bound(h, p + 1)), number(bound(h, n)),
                        number(bound(h, n + 1)));
  }
  if (h.nan + h.posinf + h.neginf > 0)
    text += fmt::format("; {} NaN, {} +Inf, {} -Inf", h.nan, h.posinf, h.neginf);
  return text;
}

std::string picture(const Histogram& h, std::uint64_t whole, const std::string& id) {
  Svg svg(kWidth, kTop + kHeight + kBottom, id, h.title, description(h, whole));
  const double half = (kWidth - kMiddle) / 2 - kGap;
  const std::size_t bins = std::max<std::size_t>(h.positive.size(), 1);
  const double pitch = half / static_cast<double>(bins);
  const double bar = std::max(pitch - 0.6, 0.6);
  std::uint64_t most = h.zeros;
  for (std::size_t i = 0; i < h.positive.size(); ++i) most = std::max({most, h.positive[i], h.negative[i]});
  const double scale = most == 0 ? 0 : kHeight / static_cast<double>(most);
  const auto left = [&](double at) { return half - at * pitch; };
  const auto right = [&](double at) { return kWidth - half + at * pitch; };
  svg.path(bars(h.negative, scale, bar, [&](std::size_t i) { return left(static_cast<double>(i) + 1); }),
           "neg");
  svg.path(bars(h.positive, scale, bar, [&](std::size_t i) { return right(static_cast<double>(i)); }), "pos");
  if (h.zeros > 0) {
    const double height = std::max(static_cast<double>(h.zeros) * scale, 0.8);
    svg.rect(kWidth / 2 - 5, kTop + kHeight - height, 10, height, "zero");
  }
  svg.line(0, kTop + kHeight, kWidth, kTop + kHeight, "axis");
  svg.text(kWidth / 2, kTop + kHeight + 14, "0", "tick", "middle");
  if (!h.positive.empty()) {
    const std::string end = number(bound(h, h.positive.size()));
    svg.text(0, kTop + kHeight + 14, "-" + end, "tick");
    svg.text(kWidth, kTop + kHeight + 14, end, "tick", "end");
    add_ticks(svg, h, pitch, left, right);
  }
  return svg.finish();
}

// Zeros, NaN and infinities, which have no place on the scale.
std::string apart(const Histogram& h, std::uint64_t whole) {
  std::string out;
  const auto add = [&](std::string_view css, std::uint64_t count, std::string_view name) {
    if (count > 0)
      out +=
          fmt::format(" <span class=\"chip{}\">{} {} ({})</span>", css, count, name, percent(count, whole));
  };
  add(" error", h.nan, "NaN");
  add(" error", h.posinf, "+Inf");
  add(" error", h.neginf, "-Inf");
  add("", h.zeros, h.zeros == 1 ? "zero" : "zeros");
  return out;
}

std::string table(const Histogram& h, std::uint64_t whole) {
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](std::string name, std::uint64_t count) {
    if (count > 0) rows.push_back({std::move(name), std::to_string(count), percent(count, whole)});
  };
  for (std::size_t i = h.negative.size(); i-- > 0;)
    add(fmt::format("-{} to -{}", number(bound(h, i + 1)), number(bound(h, i))), h.negative[i]);
  add("0", h.zeros);
  for (std::size_t i = 0; i < h.positive.size(); ++i)
    add(fmt::format("{} to {}", number(bound(h, i)), number(bound(h, i + 1))), h.positive[i]);
  add("NaN", h.nan);
  add("+Inf", h.posinf);
  add("-Inf", h.neginf);
  return numbers_table("The numbers", {"value", "elements", "share"}, rows);
}

}  // namespace

std::string draw(const Histogram& histogram, const std::string& id) {
  const std::uint64_t whole = sum_of(histogram);
  if (whole == 0) return {};
  return fmt::format(
      "<figure class=\"small\" data-s>\n<figcaption><b class=\"name\">{}</b> {}{}</figcaption>\n"
      "<div class=\"scroll\">{}</div>\n{}</figure>\n",
      escape(histogram.title, 120), escape(histogram.note), apart(histogram, whole),
      picture(histogram, whole, id), table(histogram, whole));
}

}  // namespace ckpt::report::html
