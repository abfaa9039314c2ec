#include "lint/checks/weights/modules.h"

#include "lint/checks/weights/weight_names.h"

namespace ckpt::lint {

std::optional<ModulePaths> saved_modules(const Checkpoint& file, NodeId state_dict) {
  const Tree& tree = file.tree;
  // An OrderedDict with further attributes stays an object.
  const bool object = is_kind(tree, state_dict, Kind::kObject);
  const NodeId state = object ? tree.object(state_dict).state : tree.state(state_dict);
  const NodeId metadata = member(tree, state, "_metadata");
  if (!is_mapping(tree, metadata)) return std::nullopt;
  ModulePaths paths;
  for (const auto& item : mapping_items(tree, metadata))
    if (const auto path = string_of(tree, item.key)) paths.emplace(*path);
  // torch always writes the root; without it this is something else.
  if (!paths.contains(std::string_view{})) return std::nullopt;
  return paths;
}

std::string_view module_of(std::string_view key) {
  const auto dot = key.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : key.substr(0, dot);
}

ModulePaths quantized_modules(const std::vector<WeightKey>& keys) {
  ModulePaths modules;
  for (const auto& key : keys)
    if (leaf_of(key.name) == "zero_point") modules.emplace(module_of(key.name));
  return modules;
}

bool is_quantized_none(const Tree& tree, const WeightKey& key, const ModulePaths& quantized) {
  return is_kind(tree, key.value, Kind::kNone) && quantized.contains(module_of(key.name));
}

}  // namespace ckpt::lint
