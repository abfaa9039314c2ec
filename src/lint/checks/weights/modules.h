// The modules of the saved model. torch's state_dict() attaches a _metadata to the dict that it returns
// (torch/nn/modules/module.py, Module.state_dict): one item per module path, with or without parameters.
// Scripts that rename keys leave it alone, so it tells the model's own names from those that were made up
// later.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "lint/checks/common.h"

namespace ckpt::lint {

using ModulePaths = std::set<std::string, std::less<>>;  // "" is the model itself, "encoder.0"

// nullopt if there is none: dict(...), comprehensions and WeightAveraging write a plain dict.
std::optional<ModulePaths> saved_modules(const Checkpoint& file, NodeId state_dict);

// The module that a key belongs to: all but its last component.
std::string_view module_of(std::string_view key);

// Modules of torch.ao.nn.quantized: they have a zero point, and None in place of an absent bias.
ModulePaths quantized_modules(const std::vector<WeightKey>& keys);
bool is_quantized_none(const Tree& tree, const WeightKey& key, const ModulePaths& quantized);

}  // namespace ckpt::lint
