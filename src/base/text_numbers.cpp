// The half of text.h that turns numbers into text.
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <span>

#include <fmt/format.h>

#include "base/text.h"

namespace ckpt {
namespace {

// "nan", "inf", "-inf", or empty for a finite number. The sign of a NaN is noise, as in Python.
std::string_view not_finite(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return {};
}

// value / base^k with one decimal and the matching unit: 1.2 KiB. Rounding up to `base` takes the next
// unit, so that nothing reads "1024.0 KiB".
std::string with_unit(std::uint64_t value, double base, std::span<const std::string_view> units) {
  if (static_cast<double>(value) < base) {
    return units[0].empty() ? fmt::format("{}", value) : fmt::format("{} {}", value, units[0]);
  }
  double scaled = static_cast<double>(value) / base;
  std::size_t unit = 1;
  while (unit + 1 < units.size() && std::round(scaled * 10) >= base * 10) {
    scaled /= base;
    ++unit;
  }
  return fmt::format("{:.1f} {}", scaled, units[unit]);
}

// Without trailing zeros (and the point) of a decimal fraction.
std::string trim_zeros(std::string_view digits) {
  if (digits.find('.') == std::string_view::npos) return std::string(digits);
  digits = digits.substr(0, digits.find_last_not_of('0') + 1);
  if (digits.ends_with('.')) digits.remove_suffix(1);
  return std::string(digits);
}

bool is_vowel(char c) { return std::string_view("aeiou").find(c) != std::string_view::npos; }

std::string plural_of(std::string_view noun) {
  if (noun.size() > 1 && noun.ends_with('y') && !is_vowel(noun[noun.size() - 2])) {
    return fmt::format("{}ies", noun.substr(0, noun.size() - 1));
  }
  for (const std::string_view ending : {"s", "x", "z", "ch", "sh"}) {
    if (noun.ends_with(ending)) return fmt::format("{}es", noun);
  }
  return fmt::format("{}s", noun);
}

}  // namespace

std::string format_double(double value) {
  if (const auto word = not_finite(value); !word.empty()) return std::string(word);
  std::array<char, 32> buffer{};
  const double magnitude = std::fabs(value);
  // CPython's repr (pystrtod.c, format 'r') leaves fixed notation below 1e-4 and from 1e16 on.
  const bool fixed = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e16);
  const auto format = fixed ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format).ptr;
  std::string out(buffer.data(), end);
  if (fixed && out.find('.') == std::string::npos) out += ".0";
  return out;
}

std::string format_short(double value) {
  if (const auto word = not_finite(value); !word.empty()) return std::string(word);
  if (value == 0) return "0";
  const std::string rounded = fmt::format("{:.2e}", value);
  const auto mark = rounded.find('e');
  const int exponent = std::atoi(rounded.c_str() + mark + 1);
  if (exponent >= -1 && exponent <= 2) return trim_zeros(fmt::format("{:.{}f}", value, 2 - exponent));
  return trim_zeros(rounded.substr(0, mark)) + rounded.substr(mark);
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 7> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  return with_unit(bytes, 1024, kUnits);
}

std::string format_count(std::uint64_t count) {
  static constexpr std::array<std::string_view, 5> kUnits = {"", "K", "M", "B", "T"};
  return with_unit(count, 1000, kUnits);
}

std::string format_shape(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}{}", i == 0 ? "" : ", ", shape[i]);
  }
  return out + "]";
}

std::string plural(std::uint64_t count, std::string_view noun) {
  return count == 1 ? fmt::format("1 {}", noun) : fmt::format("{} {}", count, plural_of(noun));
}

}  // namespace ckpt
