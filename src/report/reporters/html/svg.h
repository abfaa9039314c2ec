// A small SVG writer: shapes by class, so that the page's style gives them their colors, and a title and a
// description for those who do not see them. Private to this folder.
#pragma once

#include <string>
#include <string_view>

namespace ckpt::report::html {

class Svg {
 public:
  // `id` is unique on the page; `title` and `description` are escaped here.
  Svg(double width, double height, std::string_view id, std::string_view title, std::string_view description);

  // `tip` (escaped here) is shown under the pointer; empty: none.
  void rect(double x, double y, double width, double height, std::string_view css, std::string_view tip = {});
  void line(double x1, double y1, double x2, double y2, std::string_view css);
  void circle(double x, double y, double radius, std::string_view css, std::string_view tip = {});
  // `anchor`: start, middle, end. `turn`: degrees, clockwise around (x, y).
  void text(double x, double y, std::string_view text, std::string_view css,
            std::string_view anchor = "start", double turn = 0);
  void path(std::string_view data, std::string_view css);

  std::string finish();

 private:
  std::string out_;
};

// A coordinate: at most one digit after the point.
std::string coordinate(double value);

}  // namespace ckpt::report::html
