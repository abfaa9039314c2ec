#include "base/text.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "base/utf8.h"

namespace ckpt {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct Range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

// Characters that move the cursor, reorder a line or are invisible: a name could use them to look like
// another one or to rewrite the report it is in (text.h lists them; CWE-150, CVE-2021-42574).
constexpr std::array kHidden = {
    Range{0x00, 0x1F},     Range{0x7F, 0x9F},     Range{0xAD, 0xAD},       Range{0x61C, 0x61C},
    Range{0x180E, 0x180E}, Range{0x200B, 0x200F}, Range{0x2028, 0x202E},   Range{0x2060, 0x206F},
    Range{0xFEFF, 0xFEFF}, Range{0xFFF9, 0xFFFB}, Range{0xE0000, 0xE007F},
};

bool is_hidden(std::uint32_t code) {
  if (code >= 0x20 && code < 0x7F) return false;
  return std::any_of(kHidden.begin(), kHidden.end(),
                     [code](const Range& range) { return code >= range.first && code <= range.last; });
}

void append_escape(std::string& out, std::uint32_t code) {
  if (code < 0x10000) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", code);
    return;
  }
  const std::uint32_t rest = code - 0x10000;  // JSON has no longer escape than a surrogate pair
  fmt::format_to(std::back_inserter(out), "\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10),
                 0xDC00 + (rest & 0x3FF));
}

void append_invalid(std::string& out, std::uint32_t byte, bool replace) {
  if (replace) {
    out += kReplacement;
  } else {
    append_escape(out, 0xDC00 + byte);  // Python's surrogateescape, PEP 383
  }
}

struct Escaping {
  bool quotes = false;           // escape '"' and '\'
  bool replace_invalid = false;  // U+FFFD instead of \udcXX
};

void append_escaped(std::string& out, std::string_view text, Escaping how) {
  for (std::size_t i = 0; i < text.size();) {
    const Character c = character_at(text, i);
    if (!c.valid) {
      append_invalid(out, c.code, how.replace_invalid);
    } else if (is_hidden(c.code)) {
      append_escape(out, c.code);
    } else {
      if (how.quotes && (c.code == '"' || c.code == '\\')) out += '\\';
      out += text.substr(i, c.size);
    }
    i += c.size;
  }
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const Character c = character_at(text, i);
    if (!c.valid) return false;
    i += c.size;
  }
  return true;
}

bool is_identifier(std::string_view text) {
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

std::string quote(std::string_view text, bool valid_json_only) {
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  append_escaped(out, text, {true, valid_json_only});
  out += '"';
  return out;
}

std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_escaped(out, text, {});
  return out;
}

std::string abbreviate(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  std::size_t count = 0;
  std::size_t head = text.size();
  for (std::size_t i = 0; i < text.size(); ++count) {
    if (count == limit) head = i;
    i += character_at(text, i).size;
  }
  if (count <= limit) return std::string(text);
  return fmt::format("{}... ({} characters)", text.substr(0, head), count);
}

std::string to_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const Character c = character_at(text, i);
    out += c.valid ? text.substr(i, c.size) : kReplacement;
    i += c.size;
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace ckpt
