// Numbers that an output draws (html), always together with the same numbers as a table. Plain data, made
// only where an output asks for it: a picture may cost another pass over some tensors. Names as they are in
// the input; reporters escape them.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace ckpt::report {

// NaN: there is nothing here. Infinity: of a ratio to zero.
struct HeatCell {
  double value = std::numeric_limits<double>::quiet_NaN();
  bool nonfinite = false;  // NaN or infinities among the elements; `value` is of the others
};
struct HeatMap {
  std::string title;  // "relative change"
  std::string note;   // what a cell is
  std::vector<std::string> rows;
  std::vector<std::string> columns;
  std::vector<HeatCell> cells;  // row by row
};

// Counts by sign and magnitude: bin i holds 2^(exponent + i) <= |x| < 2^(exponent + i + 1); the first and the
// last bin also hold what is beyond them, where the counting is limited.
struct Histogram {
  std::string title;  // of a tensor: its name
  std::string note;   // "f32 [256, 256]"
  int exponent = 0;
  std::vector<std::uint64_t> negative, positive;  // equally many
  std::uint64_t zeros = 0, nan = 0, posinf = 0, neginf = 0;
};

struct Series {
  std::string name;
  std::vector<double> x, y;  // equally many, x ascending; a y that is not finite is a gap
};
struct Plot {
  std::string title;
  std::string note;
  std::string x_name;      // "step"
  std::string y_name;      // "learning rate"
  bool log_scale = false;  // of y, if all its values are positive
  std::vector<Series> series;
};

struct Pictures {
  std::vector<HeatMap> heat_maps;
  std::vector<Plot> plots;
  std::vector<Histogram> histograms;
  std::string histograms_title;  // "values"
  std::string histograms_note;   // "the 24 largest of 300 tensors"
};

}  // namespace ckpt::report
