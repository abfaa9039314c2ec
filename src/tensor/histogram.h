// How the elements of a tensor, or the differences of two, are distributed: counts by sign and power of two.
// A pass of its own over the tensors that someone looks at, so the statistics of all the others cost nothing
// more. Counts are whole numbers, so the result depends on neither threads, block sizes nor instruction set.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/delta.h"
#include "tensor/stats.h"

namespace ckpt::tensor {

// Magnitudes below and above are counted in the first and the last bin.
inline constexpr int kLeastExponent = -64;
inline constexpr int kMostExponent = 63;

struct Histogram {
  // Bin i: 2^(exponent + i) <= |x| < 2^(exponent + i + 1). No empty bins at either end; both the same size.
  int exponent = 0;
  std::vector<std::uint64_t> negative, positive;
  std::uint64_t zeros = 0, nan = 0, posinf = 0, neginf = 0;
  bool operator==(const Histogram&) const = default;
};

// As doubles: values as in Stats, complex elements by their modulus (NaN if a part is NaN). A type without
// decoder has an empty histogram. Throws what reading a storage throws.
std::vector<Histogram> compute_histograms(std::span<const StatsJob> todo, std::size_t jobs);

// Of new - old. Equal elements are zeros, as in Delta: equal infinities and two NaNs too; another pair with a
// NaN, or of unlike infinities, counts as what the subtraction gives. 64-bit integers are subtracted exactly.
std::vector<Histogram> compute_histograms(std::span<const DeltaJob> todo, std::size_t jobs);

}  // namespace ckpt::tensor
