#include "report/reporters/html/svg.h"

#include <cmath>

#include <fmt/format.h>

#include "report/reporters/html/markup.h"

namespace ckpt::report::html {
namespace {

std::string end_of(std::string_view element, std::string_view tip) {
  return tip.empty() ? "/>" : fmt::format("><title>{}</title></{}>", escape(tip), element);
}

}  // namespace

std::string coordinate(double value) {
  const double rounded = std::round(value * 10) / 10;
  if (rounded == std::floor(rounded)) return fmt::format("{:.0f}", rounded + 0.0);
  return fmt::format("{:.1f}", rounded);
}

Svg::Svg(double width, double height, std::string_view id, std::string_view title,
         std::string_view description)
    : out_(fmt::format("<svg role=\"img\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
                       "aria-labelledby=\"{2}-t {2}-d\"><title id=\"{2}-t\">{3}</title>"
                       "<desc id=\"{2}-d\">{4}</desc>\n",
                       coordinate(width), coordinate(height), id, escape(title), escape(description))) {}

void Svg::rect(double x, double y, double width, double height, std::string_view css, std::string_view tip) {
  out_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{}{}", coordinate(x), coordinate(y),
                      coordinate(width), coordinate(height), class_attribute(css), end_of("rect", tip));
}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view css) {
  out_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"{}/>", coordinate(x1), coordinate(y1),
                      coordinate(x2), coordinate(y2), class_attribute(css));
}

void Svg::circle(double x, double y, double radius, std::string_view css, std::string_view tip) {
  out_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\"{}{}", coordinate(x), coordinate(y),
                      coordinate(radius), class_attribute(css), end_of("circle", tip));
}

void Svg::text(double x, double y, std::string_view text, std::string_view css, std::string_view anchor,
               double turn) {
  std::string more = anchor == "start" ? "" : fmt::format(" text-anchor=\"{}\"", anchor);
  if (turn != 0)
    more += fmt::format(" transform=\"rotate({} {} {})\"", coordinate(turn), coordinate(x), coordinate(y));
  out_ += fmt::format("<text x=\"{}\" y=\"{}\"{}{}>{}</text>", coordinate(x), coordinate(y),
                      class_attribute(css), more, escape(text));
}

void Svg::path(std::string_view data, std::string_view css) {
  out_ += fmt::format("<path d=\"{}\"{}/>", data, class_attribute(css));
}

std::string Svg::finish() { return out_ + "</svg>\n"; }

}  // namespace ckpt::report::html
