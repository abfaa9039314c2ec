// The entries of the state_dict and their names. Read when they are asked for: there are many.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "training/items.h"

namespace ckpt::training {

// The name of a weight as torch users know it ("encoder.0.weight"), or nullopt if `path` is not an entry of
// the state_dict.
std::optional<std::string> weight_name(const Items& items, std::string_view path);

// A key of the state_dict, tensor or not.
struct WeightKey {
  std::string_view name;
  std::string path;
  NodeId value = kNoNode;
};
std::vector<WeightKey> weight_keys(const Checkpoint& file, const Items& items);

// Names without what torch.compile, FSDP, DDP, DeepSpeed and checkpoint wrappers put into them, so that two
// files that differ only in the wrapper compare as equal.
std::string unwrapped_name(std::string_view name);

}  // namespace ckpt::training
