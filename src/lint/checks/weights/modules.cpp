#include "lint/checks/weights/modules.h"

namespace ckpt::lint {

std::optional<ModulePaths> saved_modules(const Checkpoint& file, const training::Items& items) {
  const Tree& tree = file.tree;
  if (items.state_dict == kNoNode) return std::nullopt;
  // An OrderedDict with more attributes than this one is still an object.
  const bool object = is_kind(tree, items.state_dict, Kind::kObject);
  const NodeId state = object ? tree.object(items.state_dict).state : tree.state(items.state_dict);
  const NodeId metadata = member(tree, state, "_metadata");
  if (!is_mapping(tree, metadata)) return std::nullopt;
  ModulePaths paths;
  for (const auto& item : mapping_items(tree, metadata))
    if (const auto path = string_of(tree, item.key)) paths.emplace(*path);
  // The root is always there; without it this is something else than what torch writes.
  if (!paths.contains(std::string_view{})) return std::nullopt;
  return paths;
}

std::string_view module_of(std::string_view key) {
  const auto dot = key.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : key.substr(0, dot);
}

}  // namespace ckpt::lint
