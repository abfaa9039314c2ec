#include "training/weights.h"

#include <array>

#include "training/paths.h"
#include "value/access.h"
#include "value/path.h"

namespace ckpt::training {

std::optional<std::string> weight_name(const Items& items, std::string_view path) {
  if (items.state_dict == kNoNode) return std::nullopt;
  std::string_view rest = path;
  if (!items.state_dict_path.empty()) {
    if (!rest.starts_with(items.state_dict_path)) return std::nullopt;
    rest.remove_prefix(items.state_dict_path.size());
    if (rest.starts_with('.'))
      rest.remove_prefix(1);
    else if (!rest.starts_with('['))
      return std::nullopt;
  }
  if (!rest.starts_with("[\"")) return std::string(rest);
  const std::string_view key = first_component(rest);
  const std::size_t after = key.size() + 4;  // ["..."]
  return unquote(key) + std::string(after < rest.size() ? rest.substr(after) : std::string_view{});
}

std::vector<WeightKey> weight_keys(const Checkpoint& file, const training::Items& items) {
  std::vector<WeightKey> result;
  for (const auto& item : value::mapping_items(file.tree, items.state_dict)) {
    if (!value::is_kind(file.tree, item.key, value::Kind::kString)) continue;
    std::string path = items.state_dict_path;
    value::append_key(path, file.tree, item.key);
    result.push_back({file.tree.text(item.key), std::move(path), item.value});
  }
  return result;
}

std::string unwrapped_name(std::string_view name) {
  // torch.compile, FullyShardedDataParallel, activation checkpointing, Fabric's module wrapper, DDP.
  static constexpr std::array<std::string_view, 5> kWrappers = {
      "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module", "module"};
  std::string result;
  bool first = true;
  while (!name.empty()) {
    const auto dot = name.find('.');
    const auto part = name.substr(0, dot);
    bool wrapper = false;
    for (const auto w : kWrappers) wrapper = wrapper || (part == w && (w != "module" || first));
    first = first && wrapper;  // _orig_mod.module.: a compiled DDP model
    if (!wrapper || dot == std::string_view::npos) {
      if (!result.empty()) result += '.';
      result += part;
    }
    if (dot == std::string_view::npos) break;
    name.remove_prefix(dot + 1);
  }
  return result;
}

}  // namespace ckpt::training
