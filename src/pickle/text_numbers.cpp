#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "pickle/text_forms.h"

namespace ckpt::pickle {
namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";
constexpr std::uint64_t kLimbsPerOpcode = 64;  // a division of 64 limbs takes about as long as an opcode

// The magnitude of an integer, least significant limb first, without leading zeros.
using Limbs = std::vector<std::uint32_t>;

std::string_view strip(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string hex_text(const Limbs& limbs) {
  std::string out = fmt::format("0x{:x}", limbs.back());
  for (std::size_t i = limbs.size() - 1; i-- > 0;)
    fmt::format_to(std::back_inserter(out), "{:08x}", limbs[i]);
  return out;
}

// Divides by 10^9 in place and returns the remainder.
std::uint32_t divide_by_billion(Limbs& limbs) {
  std::uint64_t rest = 0;
  for (std::size_t i = limbs.size(); i-- > 0;) {
    rest = rest << 32 | limbs[i];
    limbs[i] = static_cast<std::uint32_t>(rest / 1'000'000'000);
    rest %= 1'000'000'000;
  }
  while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
  return static_cast<std::uint32_t>(rest);
}

std::string decimal_text(Limbs limbs, std::uint64_t& work) {
  std::vector<std::uint32_t> groups;
  while (!limbs.empty()) {
    work += limbs.size() / kLimbsPerOpcode;
    groups.push_back(divide_by_billion(limbs));
  }
  std::string out = fmt::format("{}", groups.back());
  for (std::size_t i = groups.size() - 1; i-- > 0;)
    fmt::format_to(std::back_inserter(out), "{:09}", groups[i]);
  return out;
}

Integer make_integer(Limbs limbs, bool negative, const Limits& limits) {
  while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
  Integer result;
  std::uint64_t low = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(limbs.size(), 2); ++i)
    low |= std::uint64_t{limbs[i]} << (32 * i);
  const std::uint64_t largest = std::uint64_t{1} << 63;
  if (limbs.size() <= 2 && low < largest + (negative ? 1 : 0)) {
    result.value = static_cast<std::int64_t>(negative ? 0 - low : low);
    return result;
  }
  // A limb holds 9.63 decimal digits; rounded up, so that no long conversion starts in vain.
  const bool decimal = limbs.size() * 963 / 100 <= limits.integer_digits;
  std::string digits = decimal ? decimal_text(limbs, result.work) : std::string();
  if (digits.empty() || digits.size() > limits.integer_digits) digits = hex_text(limbs);
  result.digits = negative ? "-" + digits : digits;
  return result;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

void multiply_add(Limbs& limbs, std::uint32_t factor, std::uint32_t summand) {
  std::uint64_t carry = summand;
  for (std::uint32_t& limb : limbs) {
    carry += std::uint64_t{limb} * factor;
    limb = static_cast<std::uint32_t>(carry);
    carry >>= 32;
  }
  if (carry != 0) limbs.push_back(static_cast<std::uint32_t>(carry));
}

// Digits without underscores. Unlike Python's, the bound holds for bases that are powers of two as well: they
// are quadratic here, too.
Integer integer_of_digits(std::string_view digits, unsigned base, bool negative, const Limits& limits) {
  if (digits.size() > limits.integer_digits)
    fail(ErrorCode::kLimit, fmt::format("an integer in text form has {} digits; at most {} are read",
                                        digits.size(), limits.integer_digits));
  Limbs limbs;
  std::uint64_t reading = 0;
  while (!digits.empty()) {
    const std::string_view group = digits.substr(0, 6);  // 36^6 < 2^32
    std::uint32_t factor = 1, summand = 0;
    for (const char c : group) {
      factor *= base;
      summand = summand * base + static_cast<std::uint32_t>(digit_of(c));
    }
    multiply_add(limbs, factor, summand);
    reading += limbs.size() / kLimbsPerOpcode;
    digits.remove_prefix(group.size());
  }
  Integer result = make_integer(std::move(limbs), negative, limits);
  result.work += reading;
  return result;
}

// Underscores may be between digits and after a base prefix (PEP 515).
std::optional<std::string> without_underscores(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
    } else if (i + 1 == text.size() || text[i + 1] == '_') {
      return std::nullopt;
    }
  }
  return out;
}

struct Signed {
  std::string_view digits;
  bool negative = false;
};

Signed take_sign(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  return {text, negative};
}

unsigned take_prefix(std::string_view& text) {
  if (text.size() < 2 || text[0] != '0') return 10;
  const char letter = static_cast<char>(text[1] | 0x20);
  const unsigned base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
  if (base != 10) text.remove_prefix(2);
  return base;
}

bool all_digits(std::string_view text, unsigned base) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [base](char c) { return static_cast<unsigned>(digit_of(c)) < base; });
}

// For a number outside double's range, where from_chars makes no distinction: is it too small?
bool is_tiny(std::string_view text) {
  const auto exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) return text.substr(exponent + 1).starts_with('-');
  return text.find_first_not_of('0') == text.find('.');
}

// Python's int(text, 0).
std::optional<Integer> python_integer(std::string_view text, const Limits& limits) {
  auto [digits, negative] = take_sign(strip(text));
  const unsigned base = take_prefix(digits);
  if (base == 10 && digits.starts_with('_')) return std::nullopt;
  const auto plain = without_underscores(digits);
  if (!plain || !all_digits(*plain, base)) return std::nullopt;
  const bool zero = plain->find_first_not_of('0') == std::string::npos;
  if (base == 10 && plain->size() > 1 && plain->front() == '0' && !zero) return std::nullopt;
  return integer_of_digits(*plain, base, negative, limits);
}

}  // namespace

Integer integer_of_bytes(std::string_view bytes, const Limits& limits) {
  if (bytes.empty()) return {};
  const bool negative = (static_cast<unsigned char>(bytes.back()) & 0x80) != 0;
  Limbs limbs(bytes.size() / 4 + 1, 0);
  std::uint64_t carry = negative ? 1 : 0;  // the magnitude of a negative number: all bits flipped, plus one
  for (std::size_t i = 0; i < limbs.size() * 4; ++i) {
    const auto byte = i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : (negative ? 0xFFu : 0u);
    const std::uint64_t sum = (negative ? byte ^ 0xFFu : byte) + carry;
    limbs[i / 4] |= static_cast<std::uint32_t>(sum & 0xFF) << (8 * (i % 4));
    carry = sum >> 8;
  }
  return make_integer(std::move(limbs), negative, limits);
}

std::optional<Integer> integer_of_int(std::string_view line, const Limits& limits) {
  if (line == "00" || line == "01") {
    Integer result;
    result.value = line == "01" ? 1 : 0;
    result.is_bool = true;
    return result;
  }
  // strtol in base 0 comes first: it takes leading blanks and reads 010 as octal.
  const auto blanks = std::min(line.find_first_not_of(kBlanks), line.size());
  const auto [digits, negative] = take_sign(line.substr(blanks));
  if (digits.size() > 1 && digits.size() < 22 && digits[0] == '0' && all_digits(digits, 8))
    return integer_of_digits(digits, 8, negative, limits);
  return python_integer(line, limits);
}

std::optional<Integer> integer_of_long(std::string_view line, const Limits& limits) {
  if (line.ends_with('L')) line.remove_suffix(1);
  return python_integer(line, limits);
}

std::optional<double> real_of_float(std::string_view line) {
  const auto [text, negative] = take_sign(line);
  if (text.empty() || text[0] == '-' || text.find('(') != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    if (!is_tiny(text)) return std::nullopt;
    value = 0;
  } else if (error != std::errc()) {
    return std::nullopt;
  }
  return negative ? -value : value;
}

std::optional<std::uint64_t> index_of_line(std::string_view line) {
  const std::string_view text = strip(line);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

}  // namespace ckpt::pickle
