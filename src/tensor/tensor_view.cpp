#include "tensor/tensor_view.h"

#include <fmt/format.h>

#include "base/checked.h"

namespace ckpt::tensor {
namespace {

bool has_zero(std::span<const std::int64_t> shape) {
  for (const std::int64_t size : shape)
    if (size == 0) return true;
  return false;
}

}  // namespace

std::optional<std::uint64_t> checked_numel(std::span<const std::int64_t> shape) {
  for (const std::int64_t size : shape)
    if (size < 0) return std::nullopt;
  if (has_zero(shape))
    return 0;  // torch: the other sizes are then irrelevant, even where their product overflows
  std::uint64_t numel = 1;
  for (const std::int64_t size : shape) {
    const auto product = checked_mul(numel, static_cast<std::uint64_t>(size));
    if (!product) return std::nullopt;
    numel = *product;
  }
  return numel;
}

std::optional<std::uint64_t> checked_extent(const TensorView& view) {
  if (view.shape.size() != view.strides.size()) return std::nullopt;
  const auto numel = checked_numel(view.shape);
  if (!numel) return std::nullopt;
  if (*numel == 0) return 0;
  std::uint64_t last = view.storage_offset;
  for (std::size_t i = 0; i < view.shape.size(); ++i) {
    if (view.strides[i] < 0) return std::nullopt;
    const auto steps = static_cast<std::uint64_t>(view.shape[i] - 1);
    const auto next = checked_mul_add(steps, static_cast<std::uint64_t>(view.strides[i]), last);
    if (!next) return std::nullopt;
    last = *next;
  }
  return checked_add(last, std::uint64_t{1});
}

std::uint64_t bytes_for_elements(DType dtype, std::uint64_t elements) {
  const std::uint64_t per_byte = elements_per_byte(dtype);
  if (per_byte > 1) return elements / per_byte + (elements % per_byte != 0 ? 1 : 0);
  // Saturates: no storage is that large, so a bounds check against it fails as it must.
  return checked_mul(elements, element_size(dtype)).value_or(~std::uint64_t{0});
}

bool is_contiguous(const TensorView& view) {
  if (has_zero(view.shape)) return true;
  std::uint64_t expected = 1;
  for (std::size_t i = view.shape.size(); i-- > 0;) {
    if (view.shape[i] == 1) continue;
    if (view.strides[i] < 0 || static_cast<std::uint64_t>(view.strides[i]) != expected) return false;
    const auto next = checked_mul(expected, static_cast<std::uint64_t>(view.shape[i]));
    if (!next) return false;
    expected = *next;
  }
  return true;
}

std::vector<std::int64_t> unravel(std::uint64_t flat_index, std::span<const std::int64_t> shape) {
  std::vector<std::int64_t> index(shape.size(), 0);
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] <= 0) continue;
    const auto size = static_cast<std::uint64_t>(shape[i]);
    index[i] = static_cast<std::int64_t>(flat_index % size);
    flat_index /= size;
  }
  return index;
}

std::string format_index(std::uint64_t flat_index, std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(unravel(flat_index, shape), ", "));
}

}  // namespace ckpt::tensor
