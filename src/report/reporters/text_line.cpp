#include "report/reporters/text_line.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "report/reporters/columns.h"

namespace ckpt::report {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// SGR parameters, ECMA-48 section 8.3.117; the eight old colours follow the user's own palette.
std::string_view sgr(Style style) {
  switch (style) {
    case Style::kPlain: return "";
    case Style::kDim: return "\x1b[2m";
    case Style::kStrong: return "\x1b[1m";
    case Style::kError: return "\x1b[31m";
    case Style::kWarning: return "\x1b[33m";
    case Style::kNote: return "\x1b[36m";
    case Style::kGood: return "\x1b[32m";
  }
  return "";
}

// "##" that opens a command: "##[", "##vso[", "##teamcity[".
bool opens_command(std::string_view text, std::size_t at) {
  std::size_t i = at + 2;
  while (i < text.size() && is_letter(text[i])) ++i;
  return i < text.size() && text[i] == '[';
}

// GitHub's runner trims a line before it looks for "::error ...", so an indent does not help against it
// (actions/runner, ActionCommand.TryParseV2). What counts as a blank there is not only ASCII.
bool guard_start(std::string& text) {
  const auto is_graphic = [](char c) { return c > ' ' && c < '\x7f'; };
  const auto first = std::find_if(text.begin(), text.end(), is_graphic);
  if (first == text.end()) return false;
  const auto at = static_cast<std::size_t>(first - text.begin());
  if (text.compare(at, 2, "::") == 0) text.replace(at, 1, "\\u003a");
  if (text.compare(at, 2, "##") == 0) text.replace(at, 1, "\\u0023");
  return true;
}

void write_piece(std::ostream& out, std::string_view text, Style style, bool color) {
  const std::string_view on = color ? sgr(style) : std::string_view();
  out << on << text;
  if (!on.empty()) out << "\x1b[0m";
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string out = one_line(text);
  for (std::size_t at = out.find("##"); at != std::string::npos; at = out.find("##", at + 1)) {
    if (opens_command(out, at)) out.replace(at + 1, 1, "\\u0023");
  }
  return out;
}

std::string shown_file(std::string_view path) {
  std::string name = harmless(path);
  const char first = name.empty() ? '.' : name.front();
  const bool plain = is_letter(first) || (first >= '0' && first <= '9') ||
                     std::string_view("./_*?").find(first) != std::string_view::npos;  // * and ?: patterns
  if (!plain && static_cast<unsigned char>(first) < 0x80) name.insert(0, "./");
  return name;
}

Style style_of(Level level) {
  switch (level) {
    case Level::kNote: return Style::kNote;
    case Level::kWarning: return Style::kWarning;
    case Level::kError: return Style::kError;
  }
  return Style::kPlain;
}

void TextLine::add(std::string text, Style style) {
  if (text.empty()) return;
  if (!begun_) begun_ = guard_start(text);
  if (pending_ > 0) pieces_.push_back({std::string(std::exchange(pending_, 0), ' '), Style::kPlain});
  pieces_.push_back({std::move(text), style});
}

void TextLine::add_padded(std::string text, Style style, std::size_t width, std::size_t gap) {
  const std::size_t used = columns(text);
  add(std::move(text), style);
  add_spaces((used < width ? width - used : 0) + gap);
}

void TextLine::write(std::ostream& out, bool color, std::size_t width) const {
  std::size_t total = 0;
  for (const Piece& piece : pieces_) total += columns(piece.text);
  const bool cut = width > 0 && total > width;
  std::size_t left = cut ? width - 1 : total;
  for (const Piece& piece : pieces_) {
    if (left == 0) break;
    const std::string_view text = head(piece.text, left);
    left -= columns(text);
    write_piece(out, text, piece.style, color);
  }
  out << (cut ? kEllipsis : std::string_view()) << '\n';
}

}  // namespace ckpt::report
