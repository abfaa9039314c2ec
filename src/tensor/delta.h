// How two tensors of the same shape differ, in one pass over both. Values are promoted to double
// (64-bit integers are compared exactly); "differing" means differing as values: two NaNs are equal (unless
// requested otherwise), 0 and -0 are equal, and with tolerances |new - old| <= atol + rtol * |old| is equal
// (torch.isclose with the base as expected). Same determinism as Stats.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tensor/stats.h"
#include "tensor/tensor_view.h"

namespace ckpt::tensor {

struct Tolerance {
  double rtol = 0;
  double atol = 0;
  bool nan_equal = true;  // false: NaN against NaN differs (and is a change), as in torch.isclose by default
};

struct Delta {
  bool decoded = true;  // false: compared as raw codes; only numel and differing hold
  std::uint64_t numel = 0;
  std::uint64_t differing = 0;  // beyond the tolerance (exact by default)
  std::uint64_t changed = 0;    // differing at tolerance 0
  std::uint64_t nan_old = 0, nan_new = 0;
  std::uint64_t inf_old = 0, inf_new = 0;
  double max_abs = 0;  // max |new - old| over pairs of finite elements; inf if one is not finite
  std::optional<std::uint64_t> max_abs_index;  // flat index in C order, the first of equals
  double mean_abs = 0;                         // mean |new - old| over pairs of finite elements
  double rms = 0;                              // root mean square of new - old, likewise
  double rel_l2 = 0;              // |new - old| / |old| (Euclidean); inf if old is 0 and new is not
  double l2_old = 0, l2_new = 0;  // Euclidean norms over pairs of finite elements
  double cosine = 1;              // from a stable 1 - cos; 1 for two zero tensors, 0 if only one is zero
  bool same_bytes = false;        // bit for bit the same elements and dtype
};

// Requires: equal shapes; both readable (see compute_stats). The dtypes may differ.
Delta compute_delta(const TensorView& old_view, const Storage& old_storage, const TensorView& new_view,
                    const Storage& new_storage, const Tolerance& tolerance = {});

// Like compute_stats_all.
struct DeltaJob {
  StatsJob old_tensor, new_tensor;
  Tolerance tolerance;
};
std::vector<Delta> compute_delta_all(std::span<const DeltaJob> todo, std::size_t jobs);

// Bit-for-bit equality of the elements (dtype, shape and values as bytes), stopping at the first difference.
bool same_elements(const TensorView& old_view, const Storage& old_storage, const TensorView& new_view,
                   const Storage& new_storage);

}  // namespace ckpt::tensor
