// How two different tensors are related: a cast, a transposition, a permutation, a factor, more rows, a
// low-rank update. A returned relation was verified on every element.
//
// It is also informative: what is true of nearly any pair (of one element, of zeros, of one repeated value)
// is not returned. The measure is bits of evidence, -log2 of the odds that chance alone would satisfy the
// relation, and kEvidenceBits of them are required: as much as eight different elements in the right order.
// Each function documents what counts. Identical tensors are never explained.
//
// Everywhere: the views lie in their storages, as for compute_stats. Errors from reading a storage are passed
// on; a view that costs far more to walk than its storage to read (layout.h) is not explained, and that is
// not an error. Memory is bounded for any size. Results depend only on the elements. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/stats.h"

namespace ckpt::tensor {

// A readable tensor: view and storage outlive the call.
using TensorRef = StatsJob;

inline constexpr double kEvidenceBits = 15;

// `to` is `from` cast to its dtype, every element, as torch's Tensor.to() on a CPU rounds: to nearest even,
// to 16- and 8-bit floats by way of float32. Beyond the range: infinity, or NaN where the type has none
// (fnuz); float8_e4m3fn becomes 448 or, as older versions of torch wrote it, NaN: both are taken. To integers
// and bool only where that is exact. Any NaN is NaN; 0 and -0 are two values where the type has both. Complex
// to complex by parts; between real and complex, and for quantized and undecodable types: false.
// Requires, else false: equal shapes, different dtypes, an element at least. A cast explains every element
// alone, so no other evidence is required.
bool is_cast(const TensorRef& from, const TensorRef& to);

// The permutation p with new.shape[i] == old.shape[p[i]] and new == old.permute(p), bit for bit. Of up to
// four dimensions, all permutations but the identity in lexicographic order, the first that fits; more
// dimensions, fewer than two of a size above 1, or two dtypes: nullopt. Dimensions of size 1 may be what
// moves where the shapes differ.
// Evidence: the different arrangements of the elements (runs of 1024 are taken each for itself), so constant
// tensors have none; a symmetric matrix equals its transpose and is identical.
std::optional<std::vector<std::size_t>> find_transposition(const TensorRef& old_tensor,
                                                           const TensorRef& new_tensor);

// new[i] == old[p[i]] along `axis`, bit for bit.
struct Permutation {
  std::size_t axis = 0;      // 0, or 1 if there is none along 0
  std::uint64_t moved = 0;   // indices i with p[i] != i
  std::uint64_t length = 0;  // of the axis
};
// Equal shapes and dtypes, not the identity. Rows are found by a hash and then compared element by element;
// rows that are equal to each other are matched in order. Up to 2^22 of them; along axis 0 of a tensor above
// 64 MiB only where rows can be read one by one (contiguous and not compressed). Evidence: eight different
// rows, or the arrangements of all elements above those of the rows.
std::optional<Permutation> find_permutation(const TensorRef& old_tensor, const TensorRef& new_tensor);

// new == factor * old within 2 units in the last place of the dtype, every element; the factor with the
// fewest digits that fits the first elements, or else the middle of those that do. Real floating dtypes,
// equal, of equal shapes. Zeros stay zeros, elements that are not finite stay what they are. A factor that is
// 1 within rounding is not returned. Evidence: elements of different magnitudes beyond the first, each with
// as many bits as its precision leaves of those 2 units (21 for float32, 5 for bfloat16) but not more than
// its significand uses, so that {1, 2} and {2, 4} say little; at least 3 nonzero pairs.
std::optional<double> find_scale(const TensorRef& old_tensor, const TensorRef& new_tensor);

// Shapes equal except for axis 0, equal dtypes: the number of leading rows that both have, if those are
// bit-identical. Evidence: at least 8 elements in common, and their arrangements, as for a transposition.
std::optional<std::uint64_t> common_rows(const TensorRef& old_tensor, const TensorRef& new_tensor);

// new == old + scale * (b @ a) within rounding.
struct LowRankUpdate {
  double scale = 0;
  std::uint64_t rank = 0;
};
// a [rank, in], b [out, rank], old and new [out, in], real floating dtypes. The scale is fitted by least
// squares and then every element verified; explain_low_rank.cpp derives the tolerance. a and b are read
// whole, together at most 256 MiB as doubles, else nullopt.
// Evidence: log2 of update / tolerance of every element whose update is larger than its tolerance, at most
// the bits that its significand uses, once for each size of an update (a constant one says nothing), but for
// the one that says most, which the fit may have used up.
std::optional<LowRankUpdate> find_low_rank_update(const TensorRef& old_tensor, const TensorRef& new_tensor,
                                                  const TensorRef& a, const TensorRef& b);

// True if the distance below is defined: one floating dtype, real or complex.
bool has_ulp_distance(DType old_dtype, DType new_dtype);

// The largest distance between finite elements in units in the last place: how many values of the dtype lie
// between them, plus one; 0 and -0 are 0 apart. Complex by parts. Not part of
// Delta: it would slow down every comparison for a rarely used number.
// Equal shapes; 0 where has_ulp_distance is false.
std::uint64_t max_ulp_distance(const TensorRef& old_tensor, const TensorRef& new_tensor);

}  // namespace ckpt::tensor
