// Text as HTML. Private to this folder.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/report.h"

namespace ckpt::report::html {

// Characters of a cell; longer text is abbreviated. An escaped character takes up to six bytes.
inline constexpr std::size_t kCellCharacters = 240;
inline constexpr std::size_t kProseCharacters = 4000;

// One line, control and bidi characters escaped as everywhere, and nothing that HTML would take for markup,
// in text and in quoted attributes alike.
std::string escape(std::string_view text, std::size_t characters = kCellCharacters);
// The same with its line breaks kept, for <pre> and paragraphs of our own documentation.
std::string escape_lines(std::string_view text, std::size_t characters = kProseCharacters);
// At most `characters`, the front cut off: "…layers.11.attn.q.weight". Not escaped yet.
std::string cut_front(std::string_view text, std::size_t characters);

std::string_view class_of(Style style);  // "" for plain
std::string_view class_of(Mark mark);
std::string_view class_of(Level level);

// " class=\"dim\"", or nothing for no class.
std::string class_attribute(std::string_view css);

// A table cell with escaped text; long text may be wrapped, numbers and short text are not.
std::string cell(std::string_view text, std::string_view css = {}, std::size_t characters = kCellCharacters);

// A number for people, short and still readable by a program that sorts: 0.0312, 3.12e-5, 12.3.
std::string number(double value);
// "3.1e-5": as many significant digits as asked for, and no zeros in the exponent.
std::string scientific(double value, int digits);

// A block of markup that never exceeds its limit: what does not fit is left out whole, and counted.
class Bounded {
 public:
  explicit Bounded(std::size_t limit) : limit_(limit) {}
  // False if `piece` does not fit any more; then it is not added. `reserve`: bytes that must stay free.
  bool add(std::string_view piece, std::size_t reserve = 0) {
    if (text_.size() + piece.size() + reserve > limit_) return false;
    text_ += piece;
    return true;
  }
  std::size_t room() const { return limit_ - text_.size(); }
  const std::string& text() const { return text_; }

 private:
  std::size_t limit_;
  std::string text_;
};

// The start of a section of the page with its heading; end it with </section>. `note` and `title` are escaped
// here.
std::string section_start(std::string_view id, std::string_view title, std::string_view note);
// Numbers of a picture, folded in: columns of one table.
std::string numbers_table(std::string_view summary, const std::vector<std::string>& titles,
                          const std::vector<std::vector<std::string>>& rows);

}  // namespace ckpt::report::html
