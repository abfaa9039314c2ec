#include <fmt/format.h>

#include "base/text.h"
#include "report/reporters/html/markup.h"
#include "report/reporters/html/parts.h"
#include "report/reporters/html/pictures.h"

namespace ckpt::report::html {
namespace {

constexpr std::size_t kEnd = 200;  // bytes to end the part and to say what is missing

// Draws what fits; counts what does not.
template <class Pictures>
std::size_t add_all(const Pictures& pictures, std::string_view id, Bounded& out) {
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < pictures.size(); ++i)
    if (!out.add(draw(pictures[i], fmt::format("{}{}", id, i)), kEnd)) ++left_out;
  return left_out;
}

std::string end_of(std::size_t left_out) {
  std::string out;
  if (left_out > 0)
    out = fmt::format("<p class=\"more\">{} not shown: the page would be too large</p>\n",
                      plural(left_out, "picture"));
  return out + "</section>\n";
}

}  // namespace

std::string pictures_part(const Report& report, std::size_t limit) {
  const Pictures& pictures = report.pictures;
  if (pictures.heat_maps.empty() && pictures.plots.empty()) return {};
  Bounded out(limit);
  out.add(section_start("where", pictures.heat_maps.empty() ? "Curves" : "By layer", ""));
  std::size_t left_out = add_all(pictures.plots, "plot", out);
  left_out += add_all(pictures.heat_maps, "map", out);
  out.add(end_of(left_out));
  return out.text();
}

std::string histograms_part(const Report& report, std::size_t limit) {
  const Pictures& pictures = report.pictures;
  if (pictures.histograms.empty()) return {};
  Bounded out(limit);
  out.add(section_start("histograms", pictures.histograms_title, pictures.histograms_note));
  out.add(
      "<p class=\"more\">Magnitudes on a logarithmic scale, one bar a power of two; negative on the left, "
      "zeros in "
      "the middle, positive on the right.</p>\n<div class=\"grid\">\n");
  const std::size_t left_out = add_all(pictures.histograms, "hist", out);
  out.add("</div>\n");
  out.add(end_of(left_out));
  return out.text();
}

}  // namespace ckpt::report::html
