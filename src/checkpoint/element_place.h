// Where an element of a tensor lies on disk, for messages and reports.
#pragma once

#include <cstdint>
#include <optional>

#include "checkpoint/checkpoint.h"

namespace ckpt {

struct ElementPlace {
  std::uint32_t part = 0;    // index into Checkpoint::parts
  std::uint64_t offset = 0;  // bytes, in the part
  std::uint64_t size = 0;    // bytes
};

// `flat_index` counts elements in C order. nullopt if the element is computed (compressed, packed with others
// into one byte) or not there.
std::optional<ElementPlace> place_of_element(const Checkpoint& file, const tensor::TensorView& view,
                                             std::uint64_t flat_index);

}  // namespace ckpt
