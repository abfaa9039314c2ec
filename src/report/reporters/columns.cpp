#include "report/reporters/columns.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace ckpt::report {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Unicode's EastAsianWidth.txt, W and F, in coarse ranges: the gaps are unassigned or rare.
constexpr std::array kWide = {
    Range{0x1100, 0x115F},   Range{0x231A, 0x231B},   Range{0x2329, 0x232A},   Range{0x23E9, 0x23EC},
    Range{0x2614, 0x2615},   Range{0x2648, 0x2653},   Range{0x26A1, 0x26A1},   Range{0x26BD, 0x26BE},
    Range{0x26D4, 0x26D4},   Range{0x2705, 0x2705},   Range{0x2728, 0x2728},   Range{0x274C, 0x274C},
    Range{0x2753, 0x2757},   Range{0x2B50, 0x2B50},   Range{0x2E80, 0x303E},   Range{0x3041, 0x4DBF},
    Range{0x4E00, 0xA4C6},   Range{0xA960, 0xA97C},   Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},
    Range{0xFE10, 0xFE19},   Range{0xFE30, 0xFE6B},   Range{0xFF01, 0xFF60},   Range{0xFFE0, 0xFFE6},
    Range{0x16FE0, 0x18CFF}, Range{0x1B000, 0x1B2FB}, Range{0x1F200, 0x1F320}, Range{0x1F32D, 0x1F64F},
    Range{0x1F680, 0x1F6FC}, Range{0x1F7E0, 0x1F7F0}, Range{0x1F90C, 0x1FAFF}, Range{0x20000, 0x3FFFD},
};

// The nonspacing marks of the scripts used in names.
constexpr std::array kCombining = {
    Range{0x300, 0x36F},     Range{0x483, 0x489},   Range{0x591, 0x5BD},   Range{0x610, 0x61A},
    Range{0x64B, 0x65F},     Range{0x93C, 0x93C},   Range{0x94D, 0x94D},   Range{0xE34, 0xE3A},
    Range{0xE47, 0xE4E},     Range{0x1AB0, 0x1AFF}, Range{0x1DC0, 0x1DFF}, Range{0x20D0, 0x20FF},
    Range{0x302A, 0x302D},   Range{0x3099, 0x309A}, Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F},
    Range{0xE0100, 0xE01EF},
};

template <std::size_t N>
bool is_in(const std::array<Range, N>& ranges, std::uint32_t code) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), code,
                                      [](std::uint32_t c, const Range& range) { return c < range.first; });
  return after != ranges.begin() && code <= std::prev(after)->last;
}

std::size_t columns_of(std::uint32_t code) {
  if (code < 0x300) return 1;
  if (is_in(kCombining, code)) return 0;
  return is_in(kWide, code) ? 2 : 1;
}

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }

// Where a part of a file's path, or else of a name, begins: at its separator.
std::string_view part_signs(std::string_view text) {
  return text.find('/') == std::string_view::npos ? std::string_view(".[") : std::string_view("/");
}

}  // namespace

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size();) {
    const Character c = character_at(text, i);
    count += columns_of(c.code);
    i += c.size;
  }
  return count;
}

std::string_view head(std::string_view text, std::size_t width) {
  std::size_t i = 0;
  while (i < text.size()) {
    const Character c = character_at(text, i);
    const std::size_t needed = columns_of(c.code);
    if (needed > width) break;
    width -= needed;
    i += c.size;
  }
  return text.substr(0, i);
}

std::string_view tail(std::string_view text, std::size_t width) {
  std::size_t start = text.size();
  for (std::size_t i = text.size(); i > 0; --i) {
    if (!starts_character(text[i - 1])) continue;
    const std::size_t needed = columns_of(character_at(text, i - 1).code);
    if (needed > width) break;
    width -= needed;
    start = i - 1;
  }
  return text.substr(start);
}

std::string elide(std::string_view text, std::size_t width) {
  if (columns(text) <= width) return std::string(text);
  if (width < 2) return std::string(width == 0 ? std::string_view() : kEllipsis);
  std::string_view end = tail(text, (width - 1) * 3 / 4);
  const std::size_t part = end.find_first_of(part_signs(text));
  // If the last part is too long, its end is as good as any.
  if (part != std::string_view::npos) end.remove_prefix(part);
  const std::string_view begin = head(text, width - 1 - columns(end));
  return std::string(begin) + std::string(kEllipsis) + std::string(end);
}

}  // namespace ckpt::report
