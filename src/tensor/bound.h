// Whether the elements of one tensor keep to a bound that another one of the same shape gives, in one pass
// over both: |value| <= factor * (|limit| + floor), either side squared on request. Values are promoted to
// double. Same determinism as Stats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tensor/stats.h"

namespace ckpt::tensor {

struct Bound {
  double factor = 1;
  double floor = 0;  // what the limit may have lost to underflow
  bool square_value = false, square_limit = false;
};

struct Beyond {
  std::uint64_t numel = 0;
  std::uint64_t count = 0;             // elements beyond the bound; a NaN on either side is never beyond
  std::optional<std::uint64_t> first;  // flat index in C order
  double value = 0, limit = 0;         // of the first
};

// Both sides have real floating dtypes, maybe different ones, equal shapes, and are readable (see
// compute_stats).
struct BoundJob {
  StatsJob value, limit;
  Bound bound;
};
// On up to `jobs` threads; result[i] belongs to todo[i].
std::vector<Beyond> find_beyond_all(std::span<const BoundJob> todo, std::size_t jobs);

}  // namespace ckpt::tensor
