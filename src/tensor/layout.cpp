#include "tensor/layout.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/error.h"

namespace ckpt::tensor {
namespace {

// Walking costs at most this many times the storage, plus a constant for tiny ones (untrusted-input: a
// one-element storage may be expanded to 2^40 elements, an overlapping view repeats every byte).
constexpr std::uint64_t kWorkFactor = 8;
constexpr std::uint64_t kWorkFloor = 64ull << 20;

bool affordable(std::uint64_t elements, DType dtype, const Storage& storage) {
  const auto work = bytes_for_elements(dtype, elements);
  const auto limit = checked_mul_add(storage.size, kWorkFactor, kWorkFloor);
  return !limit || work <= *limit;
}

[[noreturn]] void fail_unaffordable(std::uint64_t elements, const Storage& storage) {
  fail(ErrorCode::kLimit,
       fmt::format(
           "expected a view that walks at most {} times its storage, found {} elements over {} bytes of "
           "storage '{}'; store the tensor contiguously",
           kWorkFactor, elements, storage.size, storage.key));
}

void check_bounds(const TensorView& view, const Storage& storage) {
  const auto extent = checked_extent(view);
  const std::uint64_t there = storage.bytes ? std::min(storage.size, storage.bytes->size()) : 0;
  if (extent && (*extent == 0 || bytes_for_elements(view.dtype, *extent) <= there)) return;
  fail(ErrorCode::kTruncated,
       fmt::format(
           "expected a tensor inside its storage '{}' of {} bytes, found one that extends past it; save the "
           "checkpoint again",
           storage.key, there));
}

// The dimensions of a shape that are walked: not those of size 1, nor those that `skip` names.
struct Dims {
  std::vector<std::size_t> kept;
  std::uint64_t copies = 1;
};

template <class Skip>
Dims kept_dims(std::span<const std::int64_t> shape, Skip skip) {
  Dims dims;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    if (skip(i)) {
      dims.copies *= static_cast<std::uint64_t>(shape[i]);  // numel was checked: no overflow
    } else {
      dims.kept.push_back(i);
    }
  }
  return dims;
}

Grid make_grid(const TensorView& view, const Dims& dims) {
  Grid grid;
  const auto numel = checked_numel(view.shape);
  if (!numel || *numel == 0) return grid;
  grid.copies = dims.copies;
  grid.count = *numel / dims.copies;
  std::uint64_t stride = 1;
  std::size_t next = dims.kept.size();
  for (std::size_t i = view.shape.size(); i-- > 0;) {
    const auto size = static_cast<std::uint64_t>(view.shape[i]);
    if (next > 0 && dims.kept[next - 1] == i) {
      grid.sizes.push_back(size);
      grid.logical_strides.push_back(stride);
      --next;
    }
    stride *= size;
  }
  std::reverse(grid.sizes.begin(), grid.sizes.end());
  std::reverse(grid.logical_strides.begin(), grid.logical_strides.end());
  return grid;
}

Layout make_layout(const TensorView& view, const Dims& dims, const Grid& grid) {
  Layout layout;
  layout.first = view.storage_offset;
  layout.count = grid.count;
  if (grid.count == 0) return layout;
  layout.extent = 1;
  for (const std::size_t i : dims.kept) {
    const Axis axis{static_cast<std::uint64_t>(view.shape[i]), static_cast<std::uint64_t>(view.strides[i])};
    layout.extent += (axis.size - 1) * axis.stride;
    const auto joined = checked_mul(axis.stride, axis.size);
    if (!layout.axes.empty() && joined && layout.axes.back().stride == *joined) {
      layout.axes.back() = {layout.axes.back().size * axis.size, axis.stride};
    } else {
      layout.axes.push_back(axis);
    }
  }
  return layout;
}

}  // namespace

std::uint64_t Grid::logical_index(std::uint64_t walked) const {
  std::uint64_t logical = 0;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    logical += walked % sizes[i] * logical_strides[i];
    walked /= sizes[i];
  }
  return logical;
}

Plan plan_view(const TensorView& view, const Storage& storage) {
  check_bounds(view, storage);
  const Dims dims = kept_dims(view.shape, [&](std::size_t i) { return view.strides[i] == 0; });
  Plan plan;
  plan.grid = make_grid(view, dims);
  plan.layout = make_layout(view, dims, plan.grid);
  if (!affordable(plan.grid.count, view.dtype, storage)) fail_unaffordable(plan.grid.count, storage);
  return plan;
}

Plan plan_every_element(const TensorView& view, const Storage& storage) {
  check_bounds(view, storage);
  const Dims dims = kept_dims(view.shape, [](std::size_t) { return false; });
  Plan plan;
  plan.grid = make_grid(view, dims);
  plan.layout = make_layout(view, dims, plan.grid);
  if (!affordable(plan.grid.count, view.dtype, storage)) fail_unaffordable(plan.grid.count, storage);
  return plan;
}

PairPlan plan_pair(const TensorView& old_view, const Storage& old_storage, const TensorView& new_view,
                   const Storage& new_storage) {
  check_bounds(old_view, old_storage);
  check_bounds(new_view, new_storage);
  if (old_view.shape != new_view.shape)
    fail(ErrorCode::kUsage,
         "expected two tensors of the same shape, found two shapes; compare the shapes first");
  const Dims dims = kept_dims(
      old_view.shape, [&](std::size_t i) { return old_view.strides[i] == 0 && new_view.strides[i] == 0; });
  PairPlan plan;
  plan.grid = make_grid(old_view, dims);
  plan.old_layout = make_layout(old_view, dims, plan.grid);
  plan.new_layout = make_layout(new_view, dims, plan.grid);
  // One real tensor pays for the walk over an expanded one.
  if (!affordable(plan.grid.count, old_view.dtype, old_storage) &&
      !affordable(plan.grid.count, new_view.dtype, new_storage))
    fail_unaffordable(plan.grid.count, new_storage);
  return plan;
}

}  // namespace ckpt::tensor
