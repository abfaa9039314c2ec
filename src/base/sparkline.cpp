#include "base/sparkline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace ckpt {
namespace {

constexpr std::array<std::string_view, 8> kBars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

std::string_view bar_of(double value, double low, double high) {
  if (std::isnan(value)) return " ";
  if (std::isinf(value)) return "!";
  if (value == 0 && low == 0) return "·";
  if (!(high > low)) return kBars[kBars.size() / 2 - 1];
  const double share = std::clamp((value - low) / (high - low), 0.0, 1.0);
  const auto last = static_cast<double>(kBars.size() - 1);
  return kBars[static_cast<std::size_t>(std::lround(share * last))];
}

}  // namespace

std::string sparkline(std::span<const double> values, double low, double high, std::size_t most) {
  const std::size_t groups = std::min(values.size(), most);
  std::string out;
  for (std::size_t g = 0; g < groups; ++g) {
    double highest = std::nan("");
    for (const double value : values.subspan(g * values.size() / groups,
                                             (g + 1) * values.size() / groups - g * values.size() / groups))
      if (std::isnan(highest) || std::abs(value) > std::abs(highest)) highest = value;
    out += bar_of(highest, low, high);
  }
  return out;
}

}  // namespace ckpt
