#include "checkpoint/formats/whole_tensor.h"

#include <algorithm>
#include <utility>

namespace ckpt::formats {

std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<std::int64_t>(shape[i], 1);  // as torch: a dimension of size 0 counts as 1
  }
  return strides;
}

value::NodeId add_whole_tensor(Checkpoint& out, tensor::Storage storage, tensor::DType dtype,
                               std::vector<std::int64_t> shape) {
  TensorRecord record;
  tensor::TensorView& view = record.view;
  view.dtype = dtype;
  view.storage = static_cast<std::uint32_t>(out.storages.size());
  view.numel = tensor::checked_numel(shape).value_or(0);
  view.strides = contiguous_strides(shape);
  view.shape = std::move(shape);
  view.in_bounds = view.numel == 0 || storage.bytes != nullptr;
  out.storages.push_back(std::move(storage));
  out.tensor_records.push_back(std::move(record));
  return out.tree.add_tensor(static_cast<std::uint32_t>(out.tensor_records.size() - 1));
}

}  // namespace ckpt::formats
