// A few elements of a tensor, where a guess needs no more.
#pragma once

#include <cstddef>
#include <vector>

#include "tensor/stats.h"

namespace ckpt::tensor {

// The first elements in C order as doubles, at most `most`. Empty for complex and 64-bit types, for those
// without a decoder, and for views that cost far more to walk than their storage to read. Throws what reading
// the storage throws. Requires what compute_stats requires.
std::vector<double> leading_elements(const StatsJob& tensor, std::size_t most);

}  // namespace ckpt::tensor
