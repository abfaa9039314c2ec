// Named numbers arranged by where in a network they are: model.layers.3.attn.q.weight is in row
// model.layers.3 and column attn.q.weight. Names are text with dots; nothing is known of what they name.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "report/picture.h"

namespace ckpt::report {

// A name with the squares that its cell is the ratio of: |new - old|^2 and |old|^2, or the sum of squares and
// the number of elements. Cells of several names are sqrt(sum of numerators / sum of denominators).
struct GridItem {
  std::string_view name;
  double numerator = 0;
  double denominator = 0;
  bool nonfinite = false;
};

// A bound on what is drawn. Beyond it, neighbouring layers become one row; roles that differ in numbers only
// become one column (experts.*.w1.weight), then rare ones do.
inline constexpr std::size_t kGridRows = 48;
inline constexpr std::size_t kGridColumns = 28;

// Row and column of a name: the layer ends with the first number that has siblings in `items`; a name without
// one is split before its last part. In the order of the items. Fills rows, columns and cells.
HeatMap layer_grid(std::span<const GridItem> items);

}  // namespace ckpt::report
