// One line of the text report: pieces with a style, printed with or without color, cut to a width.
// Private to the reporters that write lines.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "report/reporter.h"

namespace ckpt::report {

// `text` on one line and harmless to terminals and to the log readers of CI systems, which obey "##vso[..]"
// and "##[..]" anywhere in a line. Idempotent.
std::string harmless(std::string_view text);

// A file as a line's first word. "./" does not change a relative path, and keeps names such as "##[x" and "--
// " from looking like something else to a program that reads the log.
std::string shown_file(std::string_view path);

Style style_of(Level level);

class TextLine {
 public:
  // Text of the reporter itself or text that harmless() returned.
  void add(std::string text, Style style = Style::kPlain);
  void add_spaces(std::size_t count) { pending_ += count; }  // not written at the end of a line
  // Adds `text` and then spaces up to `width` columns, and `gap` more.
  void add_padded(std::string text, Style style, std::size_t width, std::size_t gap);
  // The piece that was added last leads there.
  void link(std::string uri);
  // What is added from here on goes on in the next lines if it does not fit, `indent` columns from the left;
  // kAlways: it begins there.
  enum class NewLine : std::uint8_t { kIfNeeded, kAlways };
  void wrap_from_here(std::size_t indent, NewLine when = NewLine::kIfNeeded);

  std::size_t columns() const;
  // With a width, text beyond it goes on in the next line, or is replaced by an ellipsis.
  void write(std::ostream& out, const RenderOptions& look, std::size_t width) const;

 private:
  struct Piece {
    std::string text;
    Style style;
    std::string uri = {};
  };
  std::size_t columns_before(std::size_t piece) const;
  void write_cut(std::ostream& out, const RenderOptions& look, std::size_t width) const;
  void write_wrapped(std::ostream& out, const RenderOptions& look, std::size_t width) const;

  std::vector<Piece> pieces_;
  std::size_t pending_ = 0;
  bool begun_ = false;  // the line has something other than blanks
  static constexpr std::size_t kNever = ~std::size_t{0};
  std::size_t wrapped_ = kNever;  // the first piece that may be wrapped
  std::size_t indent_ = 0;
  NewLine new_line_ = NewLine::kIfNeeded;
};

}  // namespace ckpt::report
