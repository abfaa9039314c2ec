// How the elements of one or two views are walked: which logical elements are distinct, and where they lie.
// Dimensions along which every element is the same (stride 0) are not walked but counted: work is bounded
// by storage bytes, not by a shape that a file claims.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor_view.h"

namespace ckpt::tensor {

// Which elements are walked: the dimensions that are left, in C order. Index i of the walk is the first of
// `copies` equal logical elements.
struct Grid {
  std::vector<std::uint64_t> sizes;
  std::vector<std::uint64_t> logical_strides;  // of the same dimensions in the full shape
  std::uint64_t count = 0;                     // elements walked
  std::uint64_t copies = 1;                    // logical elements per walked one

  std::uint64_t logical_index(std::uint64_t walked) const;
};

struct Axis {
  std::uint64_t size = 0;
  std::uint64_t stride = 0;  // elements
};

// Where walked element i of one side is: C order over `axes` (all larger than 1, merged where they can be).
struct Layout {
  std::vector<Axis> axes;
  std::uint64_t first = 0;  // storage index of element 0
  std::uint64_t count = 0;
  std::uint64_t extent = 0;  // storage elements from `first` to the last one touched, inclusive

  bool contiguous() const { return axes.empty() || (axes.size() == 1 && axes[0].stride == 1); }
};

struct Plan {
  Grid grid;
  Layout layout;
};
struct PairPlan {
  Grid grid;
  Layout old_layout, new_layout;
};

// All of these throw Error{kTruncated} if a view is not inside its storage, and kLimit if walking it would
// cost far more than reading the storage (overlapping or, in plan_every_element, expanded views).
Plan plan_view(const TensorView& view, const Storage& storage);           // equal dimensions counted
Plan plan_every_element(const TensorView& view, const Storage& storage);  // every logical element walked
PairPlan plan_pair(const TensorView& old_view, const Storage& old_storage, const TensorView& new_view,
                   const Storage& new_storage);

}  // namespace ckpt::tensor
