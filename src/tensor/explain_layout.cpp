// Relations of where elements lie, the same bit for bit: transpositions and common rows.
#include <algorithm>
#include <numeric>

#include "tensor/explain_parts.h"

namespace ckpt::tensor {
namespace {

constexpr std::size_t kMostDims = 4;
constexpr std::uint64_t kFewestInCommon = 8;

using Order = std::vector<std::size_t>;

TensorView permuted(const TensorView& view, const Order& order) {
  TensorView result = view;
  for (std::size_t i = 0; i < order.size(); ++i) {
    result.shape[i] = view.shape[order[i]];
    result.strides[i] = view.strides[order[i]];
  }
  return result;
}

// The first few elements along every dimension: enough to reject nearly every permutation that does not fit.
TensorView corner(const TensorView& view) {
  TensorView result = view;
  for (std::int64_t& size : result.shape) size = std::min<std::int64_t>(size, 4);
  result.numel = checked_numel(result.shape).value_or(0);
  return result;
}

// Small reads: what same_elements would read ahead for a whole tensor is not wanted for a corner of it.
std::vector<std::byte> small_elements(const TensorView& view, const Storage& storage) {
  const Tuning tuning{.window_bytes = 4096, .tile_bytes = 4096, .run_bytes = 4096, .gap_bytes = 512};
  const Plan plan = plan_every_element(view, storage);
  Buffer block;
  BlockReader reader({&view, &storage, &plan.layout}, 0, plan.layout.count, block, tuning);
  const auto elements = reader.next(plan.layout.count);
  return {elements.begin(), elements.end()};
}

bool fits(const TensorRef& old_tensor, const TensorRef& new_tensor, const Order& order) {
  const TensorView view = permuted(*old_tensor.view, order);
  if (view.shape != new_tensor.view->shape) return false;
  const bool alike = small_elements(corner(view), *old_tensor.storage) ==
                     small_elements(corner(*new_tensor.view), *new_tensor.storage);
  return alike && is_identical({&view, old_tensor.storage}, new_tensor);
}

bool can_transpose(const TensorView& old_view, const TensorView& new_view) {
  if (!same_type(old_view, new_view) || old_view.shape.size() > kMostDims) return false;
  if (old_view.shape.size() != new_view.shape.size() || checked_numel(old_view.shape).value_or(0) == 0)
    return false;
  return std::ranges::count_if(old_view.shape, [](std::int64_t size) { return size > 1; }) >= 2;
}

std::optional<Order> transposition_of(const TensorRef& old_tensor, const TensorRef& new_tensor) {
  if (is_identical(old_tensor, new_tensor)) return std::nullopt;
  Order order(old_tensor.view->shape.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  while (std::ranges::next_permutation(order).found) {
    if (!fits(old_tensor, new_tensor, order)) continue;
    if (arrangement_bits(old_tensor, kEvidenceBits) < kEvidenceBits) return std::nullopt;
    return order;
  }
  return std::nullopt;
}

TensorView leading_rows(const TensorView& view, std::int64_t rows) {
  TensorView result = view;
  result.shape[0] = rows;
  result.numel = checked_numel(result.shape).value_or(0);
  return result;
}

// Shapes and types allow a comparison of rows.
bool can_share_rows(const TensorView& old_view, const TensorView& new_view) {
  if (!same_type(old_view, new_view) || old_view.shape.empty()) return false;
  if (old_view.shape.size() != new_view.shape.size() || old_view.shape[0] == new_view.shape[0]) return false;
  return std::equal(old_view.shape.begin() + 1, old_view.shape.end(), new_view.shape.begin() + 1);
}

}  // namespace

std::optional<std::vector<std::size_t>> find_transposition(const TensorRef& old_tensor,
                                                           const TensorRef& new_tensor) {
  if (!can_transpose(*old_tensor.view, *new_tensor.view)) return std::nullopt;
  return unless_too_costly([&] { return transposition_of(old_tensor, new_tensor); });
}

std::optional<std::uint64_t> common_rows(const TensorRef& old_tensor, const TensorRef& new_tensor) {
  if (!can_share_rows(*old_tensor.view, *new_tensor.view)) return std::nullopt;
  const std::int64_t rows = std::min(old_tensor.view->shape[0], new_tensor.view->shape[0]);
  const TensorView old_view = leading_rows(*old_tensor.view, rows);
  const TensorView new_view = leading_rows(*new_tensor.view, rows);
  if (old_view.numel < kFewestInCommon) return std::nullopt;
  return unless_too_costly([&]() -> std::optional<std::uint64_t> {
    const TensorRef old_part{&old_view, old_tensor.storage};
    if (!is_identical(old_part, {&new_view, new_tensor.storage})) return std::nullopt;
    if (arrangement_bits(old_part, kEvidenceBits) < kEvidenceBits) return std::nullopt;
    return static_cast<std::uint64_t>(rows);
  });
}

}  // namespace ckpt::tensor
