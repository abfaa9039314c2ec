// How much is in a checkpoint: tensors, elements and bytes of its sections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "checkpoint/checkpoint.h"
#include "training/items.h"
#include "training/sections.h"

namespace ckpt::training {

// `bytes` counts each storage once.
struct Amount {
  std::uint64_t tensors = 0;
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
};

struct Amounts {
  std::map<Section, Amount> by_section;
  std::map<std::string, Amount> by_dtype;  // of the weights
  std::size_t storages = 0;

  Amount of(Section section) const;  // nothing where the section has no tensor
};

Amounts count_amounts(const Checkpoint& file, const Items& items);

}  // namespace ckpt::training
