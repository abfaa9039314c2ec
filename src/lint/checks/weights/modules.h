// The modules of the model that was saved. torch's state_dict() hangs a _metadata on the dict that it returns
// (torch/nn/modules/module.py, Module.state_dict): one item a module, by its path, parameters or not. Who
// renames keys afterwards leaves it as it was, so it tells a name of the model from one that somebody made
// up.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "lint/checks/common.h"

namespace ckpt::lint {

using ModulePaths = std::set<std::string, std::less<>>;  // "" is the model itself, "encoder.0"

// nullopt where nothing is known: a plain dict, as dict(...), comprehensions and WeightAveraging write it.
std::optional<ModulePaths> saved_modules(const Checkpoint& file, const training::Items& items);

// The module that a key belongs to: all but its last component.
std::string_view module_of(std::string_view key);

}  // namespace ckpt::lint
