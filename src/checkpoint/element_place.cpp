#include "checkpoint/element_place.h"

#include <algorithm>

namespace ckpt {
namespace {

// Requires: the view is in bounds, so nothing overflows.
std::uint64_t index_in_storage(const tensor::TensorView& view, std::uint64_t flat_index) {
  const auto index = tensor::unravel(flat_index, view.shape);
  std::uint64_t at = view.storage_offset;
  for (std::size_t i = 0; i < index.size(); ++i)
    at += static_cast<std::uint64_t>(index[i]) * static_cast<std::uint64_t>(view.strides[i]);
  return at;
}

}  // namespace

std::optional<ElementPlace> place_of_element(const Checkpoint& file, const tensor::TensorView& view,
                                             std::uint64_t flat_index) {
  if (!view.has_storage() || !view.in_bounds || flat_index >= view.numel) return std::nullopt;
  const tensor::Storage& storage = file.storages[view.storage];
  if (storage.bytes == nullptr || tensor::elements_per_byte(view.dtype) > 1) return std::nullopt;
  const std::uint64_t size = tensor::element_size(view.dtype);
  const std::uint64_t offset = index_in_storage(view, flat_index) * size;
  if (offset >= storage.bytes->size()) return std::nullopt;
  const auto place = storage.bytes->locate(offset);
  if (!place) return std::nullopt;
  const auto part = std::find_if(file.sources.begin(), file.sources.end(),
                                 [&](const io::SourcePtr& source) { return source.get() == place->file; });
  if (part == file.sources.end()) return std::nullopt;
  return ElementPlace{static_cast<std::uint32_t>(part - file.sources.begin()), place->offset, size};
}

}  // namespace ckpt
