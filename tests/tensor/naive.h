// The definitions of Stats and Delta, element by element in long double: slow, and nothing shared with the
// code under test but the decoding of 16- and 8-bit floats.
#pragma once

#include <span>
#include <vector>

#include "tensor/delta.h"
#include "tensor/stats.h"

namespace ckpt::tensor {

struct NaiveValue {
  long double real = 0;
  long double imag = 0;
};

// `elements` contiguous, as naive_elements() gives them.
std::vector<NaiveValue> naive_values(DType dtype, std::span<const std::byte> elements);

// Exact fields are exact; mean, std, l2, mean_abs, rms, rel_l2 and cosine are rounded from long double.
Stats naive_stats(DType dtype, std::span<const NaiveValue> values);
Delta naive_delta(std::span<const NaiveValue> old_values, std::span<const NaiveValue> new_values,
                  const Tolerance& tolerance);

// Empty if equal: counts and extremes exactly, sums to a relative 1e-12.
std::string difference(const Stats& found, const Stats& wanted);
std::string difference(const Delta& found, const Delta& wanted);
// Every bit of every field.
bool identical(const Stats& a, const Stats& b);
bool identical(const Delta& a, const Delta& b);

}  // namespace ckpt::tensor
