// The entries of the state_dicts and their names. Read when they are asked for: there are many.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "training/items.h"

namespace ckpt::training {

// The state_dict that a path lies in, or null.
const StateDict* state_dict_of(const Items& items, std::string_view path);

// The name of a weight as torch users know it ("encoder.0.weight"; see StateDict), or nullopt if `path` is
// not an entry of a state_dict.
std::optional<std::string> weight_name(const Items& items, std::string_view path);

// Likewise of a mapping of weights under `root` that is no model of the file by itself: a copy of one.
std::optional<std::string> name_below(std::string_view root, std::string_view path);

// The end of such a name that the state_dict itself has for it: without StateDict::prefix.
std::string_view own_name(const Items& items, std::string_view path, std::string_view name);

// The keys of the file's state_dicts, tensors or not, in document order; those of some of them alone (indexes
// into Items::state_dicts). Views into the tree and `items`.
std::vector<WeightKey> weight_keys(const Checkpoint& file, const Items& items);
std::vector<WeightKey> weight_keys(const Checkpoint& file, const Items& items,
                                   std::span<const std::size_t> state_dicts);

// Fills the entries of a state_dict whose names are not simply its keys. Private to training/.
void list_entries(const value::Tree& tree, StateDict& state_dict);

// Names without what torch.compile, FSDP, DDP, DeepSpeed and checkpoint wrappers put into them, so that two
// files that differ only in the wrapper compare as equal.
std::string unwrapped_name(std::string_view name);

}  // namespace ckpt::training
