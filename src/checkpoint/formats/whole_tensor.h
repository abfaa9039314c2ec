// A tensor that fills its storage in C order, as formats without views have them.
#pragma once

#include <cstdint>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace ckpt::formats {

// Adds storage, record and node. `shape` was checked: its product does not overflow. A storage without bytes
// makes a tensor that cannot be read.
value::NodeId add_whole_tensor(Checkpoint& out, tensor::Storage storage, tensor::DType dtype,
                               std::vector<std::int64_t> shape);

// Strides of C order, in elements.
std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape);

}  // namespace ckpt::formats
