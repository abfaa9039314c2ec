#include "report/reporters/text_line.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "report/reporters/columns.h"

namespace ckpt::report {
namespace {

constexpr std::size_t kLeastWrapped = 12;  // columns; text in less is not readable

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

// OSC 8, as terminals agreed on it: https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
void write_piece(std::ostream& out, std::string_view text, Style style, std::string_view uri,
                 const RenderOptions& look) {
  const std::string_view on = look.color ? sgr(style) : std::string_view();
  const bool linked = look.links && !uri.empty();
  if (linked) out << "\x1b]8;;" << uri << "\x1b\\";
  out << on << text;
  if (!on.empty()) out << "\x1b[0m";
  if (linked) out << "\x1b]8;;\x1b\\";
}

// The words of a text as they may be parted: a separating dot belongs to the word after it.
std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view kDot = "\u00b7 ";
  std::vector<std::string_view> words;
  for (std::size_t i = text.find_first_not_of(' '); i < text.size();) {
    std::size_t end = text.find(' ', i);
    if (end != text.npos && text.substr(i, end + 1 - i) == kDot) end = text.find(' ', end + 1);
    if (end == text.npos) end = text.size();
    words.push_back(text.substr(i, end - i));
    while (end < text.size() && text[end] == ' ') ++end;
    i = end;
  }
  return words;
}

// At the beginning of a line the dot separates nothing.
std::string_view without_dot(std::string_view word) {
  constexpr std::string_view kDot = "\u00b7 ";
  return word.starts_with(kDot) ? word.substr(kDot.size()) : word;
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
  if (pending_ > 0) pieces_.push_back({std::string(std::exchange(pending_, 0), ' '), Style::kPlain, ""});
  pieces_.push_back({std::move(text), style, ""});
}

void TextLine::add_padded(std::string text, Style style, std::size_t width, std::size_t gap) {
  const std::size_t used = report::columns(text);
  add(std::move(text), style);
  add_spaces((used < width ? width - used : 0) + gap);
}

void TextLine::link(std::string uri) {
  if (!pieces_.empty()) pieces_.back().uri = std::move(uri);
}

void TextLine::wrap_from_here(std::size_t indent, NewLine when) {
  wrapped_ = pieces_.size();
  indent_ = indent;
  new_line_ = when;
}

std::size_t TextLine::columns() const { return columns_before(pieces_.size()); }

std::size_t TextLine::columns_before(std::size_t piece) const {
  std::size_t total = 0;
  for (std::size_t i = 0; i < piece && i < pieces_.size(); ++i) total += report::columns(pieces_[i].text);
  return total;
}

void TextLine::write(std::ostream& out, const RenderOptions& look, std::size_t width) const {
  const bool fits = width == 0 || columns() <= width;
  const bool parted = !fits || new_line_ == NewLine::kAlways;
  const bool has_room = width >= indent_ + kLeastWrapped && columns_before(wrapped_) <= width;
  if (parted && has_room && wrapped_ < pieces_.size()) return write_wrapped(out, look, width);
  const bool whole = fits || new_line_ == NewLine::kAlways;
  write_cut(out, look, whole ? columns() + 1 : width);
}

void TextLine::write_cut(std::ostream& out, const RenderOptions& look, std::size_t width) const {
  std::size_t left = width - 1;
  for (const Piece& piece : pieces_) {
    if (left == 0) break;
    const std::string_view text = head(piece.text, left);
    left -= report::columns(text);
    write_piece(out, text, piece.style, piece.uri, look);
  }
  out << (columns() >= width ? kEllipsis : std::string_view()) << '\n';
}

// A word that is longer than a line stays whole: the terminal parts it, and it can be copied.
void TextLine::write_wrapped(std::ostream& out, const RenderOptions& look, std::size_t width) const {
  std::size_t used = columns_before(wrapped_);
  for (std::size_t i = 0; i < wrapped_; ++i)
    write_piece(out, pieces_[i].text, pieces_[i].style, pieces_[i].uri, look);
  const std::string& gap = pieces_[wrapped_].text;
  const bool has_gap = gap.find_first_not_of(' ') == gap.npos;
  const bool here = new_line_ == NewLine::kIfNeeded && used + (has_gap ? gap.size() : 0) <= indent_;
  out << (here ? std::string(indent_ - used, ' ') : '\n' + std::string(indent_, ' '));
  used = indent_;
  bool begins = true;  // of a line: nothing stands before the next word
  const auto new_line = [&] {
    out << '\n' << std::string(indent_, ' ');
    used = indent_;
    begins = true;
  };
  for (std::size_t i = wrapped_; i < pieces_.size(); ++i) {
    for (const std::string_view whole : words_of(pieces_[i].text)) {
      if (!begins && used + 1 + report::columns(whole) > width) new_line();
      std::string word(begins ? without_dot(whole) : whole);
      if (begins) guard_start(word);
      out << (begins ? "" : " ");
      used += begins ? 0 : 1;
      begins = false;
      // A word that is longer than a line is parted anywhere.
      while (used + report::columns(word) > width) {
        const std::string part(head(word, width - used));
        write_piece(out, part, pieces_[i].style, pieces_[i].uri, look);
        word.erase(0, part.size());
        new_line();
        begins = false;
        guard_start(word);
      }
      write_piece(out, word, pieces_[i].style, pieces_[i].uri, look);
      used += report::columns(word);
    }
  }
  out << '\n';
}

}  // namespace ckpt::report
