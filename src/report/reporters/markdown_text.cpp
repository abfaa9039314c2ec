#include "report/reporters/markdown_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace ckpt::report {
namespace {

constexpr std::size_t kCommitDigits = 7;  // this many hexadecimal digits look like a commit

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// All other ASCII is written as character references.
bool stays(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (static_cast<unsigned char>(c) >= 0x80 || is_word(c)) return true;
  if (c == '_') return at > 0 && at + 1 < text.size() && is_word(text[at - 1]) && is_word(text[at + 1]);
  return std::string_view(" .,;()+-=/%'\"").find(c) != std::string_view::npos;
}

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (stays(text, i)) {
      out += text[i];
    } else {
      out += fmt::format("&#{};", static_cast<unsigned>(text[i]));
    }
  }
  return out;
}

bool has_commit(std::string_view text) {
  std::size_t digits = 0;
  bool number = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && is_hex(text[i])) {
      ++digits;
      number = number || is_digit(text[i]);
      continue;
    }
    if (digits >= kCommitDigits && number) return true;
    digits = 0;
    number = false;
  }
  return false;
}

// Services look for these in the rendered text, so an escape does not hide them.
bool may_be_linked(std::string_view text) {
  const std::string small = lower(text);
  if (small.find_first_of("@#$`!~&^") != std::string::npos) return true;  // GitLab has many such signs
  if (small.find("www.") != std::string::npos || small.find("gh-") != std::string::npos) return true;
  for (std::size_t at = small.find_first_of(":%"); at != std::string::npos;
       at = small.find_first_of(":%", at + 1)) {
    if (at + 1 < small.size() && small[at + 1] != ' ') return true;
  }
  return has_commit(small);
}

}  // namespace

std::string code(std::string_view text, std::size_t characters) {
  const std::string line = abbreviate(one_line(text), characters);
  if (line.empty()) return {};
  return "<code>" + escape(line) + "</code>";
}

std::string prose(std::string_view text, std::size_t characters) {
  const std::string line = abbreviate(one_line(text), characters);
  return may_be_linked(line) ? code(line, characters + 40) : escape(line);
}

}  // namespace ckpt::report
