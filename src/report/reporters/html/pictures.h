// Heat maps, histograms and plots as SVG, each with its numbers as a table. Private to this folder.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "report/picture.h"

namespace ckpt::report::html {

// A <figure> each; `id` is unique on the page.
std::string draw(const HeatMap& map, const std::string& id);
std::string draw(const Histogram& histogram, const std::string& id);
// With more series than a plot can tell apart: a table with a sparkline a series.
std::string draw(const Plot& plot, const std::string& id);

// A line the height of text, with its ends marked; empty for fewer than two finite values.
std::string sparkline(std::span<const double> values, const std::string& id, std::string_view title);

}  // namespace ckpt::report::html
