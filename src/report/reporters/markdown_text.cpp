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

// For HTML: all other ASCII is written as references to characters.
bool stays(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (static_cast<unsigned char>(c) >= 0x80 || is_word(c)) return true;
  if (c == '_') return at > 0 && at + 1 < text.size() && is_word(text[at - 1]) && is_word(text[at + 1]);
  return std::string_view(" .,;:()[]{}+-=/%'\"").find(c) != std::string_view::npos;
}

std::string references(std::string_view text) {
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

// Section 2.4 of CommonMark. "[1, 2]" is no link: see may_be_linked.
std::string backslashes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool inside = i > 0 && i + 1 < text.size() && is_word(text[i - 1]) && is_word(text[i + 1]);
    if (c == '\\' || c == '*' || c == '<' || c == '|' || (c == '_' && !inside)) out += '\\';
    out += c;
  }
  return out;
}

std::size_t longest_run(std::string_view text, char what) {
  std::size_t longest = 0, run = 0;
  for (const char c : text) longest = std::max(longest, run = c == what ? run + 1 : 0);
  return longest;
}

// Blanks at the ends would be taken away or end an emphasis.
std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
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
  // Links, footnotes and GitLab's {+ insertions +}.
  for (const char* open : {"](", "][", "]:", "[[", "[^", "[+", "[-", "{+", "{-"})
    if (small.find(open) != std::string::npos) return true;
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
  if (trimmed(line).empty()) return {};
  // "##[" would be a command to some CI systems, where the report is in a log.
  if (line.find('|') != std::string::npos || line.find("##") != std::string::npos)
    return "<code>" + references(line) + "</code>";
  const std::string fence(longest_run(line, '`') + 1, '`');
  const bool pad =
      line.starts_with('`') || line.ends_with('`') || (line.starts_with(' ') && line.ends_with(' '));
  return fence + (pad ? " " : "") + line + (pad ? " " : "") + fence;
}

std::string prose(std::string_view text, std::size_t characters) {
  const std::string line = abbreviate(one_line(text), characters);
  return may_be_linked(line) ? code(line, characters + 40) : backslashes(trimmed(line));
}

std::string paragraph_of(std::string_view text, std::size_t characters) {
  std::string out = prose(text, characters);
  const std::size_t digits = std::min(out.find_first_not_of("0123456789"), out.size());
  if (digits > 0 && digits < out.size() && (out[digits] == '.' || out[digits] == ')'))
    out.insert(digits, "\\");
  else if (!out.empty() && std::string_view("-+>=[").find(out[0]) != std::string_view::npos)
    out.insert(0, "\\");
  return out;
}

std::string html(std::string_view text, std::size_t characters) {
  const std::string line = abbreviate(one_line(text), characters);
  const std::string escaped = references(trimmed(line));
  return may_be_linked(line) && !escaped.empty() ? "<code>" + escaped + "</code>" : escaped;
}

}  // namespace ckpt::report
