#include "pickle/text_forms.h"

#include <charconv>

#include "base/text.h"

namespace ckpt::pickle {
namespace {

bool is_surrogate(std::string_view text, std::size_t at) {
  if (text.size() - at < 3) return false;
  const auto second = static_cast<unsigned char>(text[at + 1]);
  const auto third = static_cast<unsigned char>(text[at + 2]);
  return text[at] == '\xED' && second >= 0xA0 && second <= 0xBF && third >= 0x80 && third <= 0xBF;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

// Exactly `size` hexadecimal digits at text[at].
std::optional<std::uint32_t> hex_digits(std::string_view text, std::size_t at, std::size_t size) {
  const std::string_view digits = text.substr(at, size);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() != size || error != std::errc() || end != digits.data() + size) return std::nullopt;
  return value;
}

bool is_octal(char c) { return c >= '0' && c <= '7'; }

// Up to three octal digits at text[at]; Python keeps the low eight bits.
char octal_digits(std::string_view text, std::size_t& at) {
  unsigned value = 0;
  for (int i = 0; i < 3 && at < text.size() && is_octal(text[at]); ++i) {
    value = value * 8 + static_cast<unsigned>(text[at] - '0');
    ++at;
  }
  return static_cast<char>(value & 0xFF);
}

// What a letter after a backslash means; '\0' if it means nothing.
char simple_escape(char letter) {
  constexpr std::string_view kLetters = "\\'\"abfnrtv";
  constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
  const auto found = kLetters.find(letter);
  return found == std::string_view::npos ? '\0' : kMeanings[found];
}

}  // namespace

Utf8 utf8_form(std::string_view text) {
  if (is_utf8(text)) return Utf8::kValid;
  // A surrogate's first two bytes begin no valid sequence, so cutting them out never splits one.
  std::size_t start = 0;
  for (std::size_t at = 0; (at = text.find('\xED', at)) != std::string_view::npos;) {
    if (!is_surrogate(text, at)) {
      ++at;
      continue;
    }
    if (!is_utf8(text.substr(start, at - start))) return Utf8::kInvalid;
    start = at += 3;
  }
  return is_utf8(text.substr(start)) ? Utf8::kSurrogates : Utf8::kInvalid;
}

std::optional<std::string> unescape_bytes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    ++at;
    if (c != '\\') {
      out += c;
      continue;
    }
    if (at == text.size()) return std::nullopt;
    const char letter = text[at];
    if (is_octal(letter)) {
      out += octal_digits(text, at);
    } else if (letter == 'x') {
      const auto value = hex_digits(text, at + 1, 2);
      if (!value) return std::nullopt;
      out += static_cast<char>(*value);
      at += 3;
    } else {
      const char meaning = simple_escape(letter);
      if (meaning == '\0') out += '\\';
      out += meaning == '\0' ? letter : meaning;
      ++at;
    }
  }
  return out;
}

std::optional<std::string> decode_raw_unicode_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    ++at;
    append_utf8(out, static_cast<unsigned char>(c));
    if (c != '\\' || at == text.size()) continue;
    const char letter = text[at];
    ++at;
    if (letter != 'u' && letter != 'U') {
      append_utf8(out, static_cast<unsigned char>(letter));  // also the second of two backslashes
      continue;
    }
    const std::size_t size = letter == 'u' ? 4 : 8;
    const auto code = hex_digits(text, at, size);
    if (!code || *code > 0x10FFFF) return std::nullopt;
    out.pop_back();
    append_utf8(out, *code);
    at += size;
  }
  return out;
}

}  // namespace ckpt::pickle
