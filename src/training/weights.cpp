#include "training/weights.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "training/paths.h"
#include "value/access.h"
#include "value/path.h"

namespace ckpt::training {

namespace {

// "fc.weight" of ._modules.fc._parameters.weight; nullopt for other attributes of modules.
std::optional<std::string> name_in_module(std::string_view rest) {
  std::string name;
  while (!rest.empty()) {
    const std::string kind = key_of_step(first_step(rest));
    rest.remove_prefix(first_step(rest).size());
    if (rest.empty()) return std::nullopt;
    const std::string_view step = first_step(rest);
    rest.remove_prefix(step.size());
    name += (name.empty() ? "" : ".") + key_of_step(step);
    if (kind == "_parameters" || kind == "_buffers") return name.append(rest);
    if (kind != "_modules") return std::nullopt;
  }
  return std::nullopt;
}

// What the form of the file itself says, among the weights (safetensors, GGUF).
constexpr std::string_view kFormMetadata = "__metadata__";

bool is_weight_item(const value::Tree& tree, const value::Item& item) {
  return value::is_kind(tree, item.key, value::Kind::kString) &&
         (tree.text(item.key) != kFormMetadata || !value::is_mapping(tree, item.value));
}

std::string name_in_mapping(std::string_view rest) {
  if (rest.starts_with('.')) rest.remove_prefix(1);
  if (!rest.starts_with("[\"")) return std::string(rest);
  const std::string_view step = first_step(rest);
  return key_of_step(step).append(rest.substr(step.size()));
}

// A module that is used at two places is listed at the first one, as its tensors are (value/walk.h).
void list_module(const value::Tree& tree, const StateDict& state_dict, std::vector<std::string>& names,
                 std::vector<WeightKey>& entries) {
  struct Module {
    NodeId node;
    std::string name, path;
  };
  std::vector<Module> stack = {{state_dict.node, state_dict.prefix, state_dict.path}};
  std::set<NodeId> seen;
  while (!stack.empty()) {
    const Module module = std::move(stack.back());
    stack.pop_back();
    const NodeId attributes = module_attributes(tree, module.node);
    if (attributes == kNoNode || !seen.insert(module.node).second) continue;
    const auto each = [&](std::string_view attribute, const auto& use) {
      std::string path = module.path;
      value::append_attribute(path, attribute);
      for (const auto& item : value::mapping_items(tree, value::member(tree, attributes, attribute))) {
        if (!value::is_kind(tree, item.key, value::Kind::kString)) continue;
        std::string place = path;
        value::append_key(place, tree, item.key);
        use(module.name + std::string(tree.text(item.key)), std::move(place), item.value);
      }
    };
    for (const std::string_view attribute : {"_parameters", "_buffers"})
      each(attribute, [&](std::string name, std::string path, NodeId value) {
        if (value::is_kind(tree, value, value::Kind::kNone)) return;  // bias=False: no entry in a state_dict
        names.push_back(std::move(name));
        entries.push_back({{}, std::move(path), value, state_dict.prefix.size()});
      });
    const auto first_child = static_cast<std::ptrdiff_t>(stack.size());
    each("_modules", [&](std::string name, std::string path, NodeId value) {
      stack.push_back({value, std::move(name) + ".", std::move(path)});
    });
    std::reverse(stack.begin() + first_child, stack.end());  // the first one next
  }
}

}  // namespace

const StateDict* state_dict_of(const Items& items, std::string_view path) {
  const Part* part = part_of(items, path);
  if (part == nullptr || !is_model(part->form)) return nullptr;
  const std::string_view rest = path.substr(part->path.size());
  if (first_component(rest.starts_with('.') ? rest.substr(1) : rest) == kFormMetadata) return nullptr;
  return &items.state_dicts[part->index];
}

std::optional<std::string> weight_name(const Items& items, std::string_view path) {
  const StateDict* state_dict = state_dict_of(items, path);
  if (state_dict == nullptr || (path.size() == state_dict->path.size() && !path.empty())) return std::nullopt;
  const std::string_view rest = path.substr(state_dict->path.size());
  const auto name = state_dict->module ? name_in_module(rest) : name_in_mapping(rest);
  return name ? std::optional(state_dict->prefix + *name) : std::nullopt;
}

std::optional<std::string> name_below(std::string_view root, std::string_view path) {
  const std::string_view rest = path.starts_with(root) ? path.substr(root.size()) : std::string_view();
  if (!rest.starts_with('.') && !rest.starts_with('[')) return std::nullopt;
  return name_in_mapping(rest);
}

std::string_view own_name(const Items& items, std::string_view path, std::string_view name) {
  if (items.state_dicts.size() < 2) return name;  // most files: none has a prefix
  const StateDict* state_dict = state_dict_of(items, path);
  return state_dict == nullptr ? name : name.substr(state_dict->prefix.size());
}

void list_entries(const value::Tree& tree, StateDict& state_dict) {
  if (state_dict.prefix.empty() && !state_dict.module) return;
  auto names = std::make_shared<std::vector<std::string>>();
  if (state_dict.module) {
    list_module(tree, state_dict, *names, state_dict.entries);
  } else {
    for (const auto& item : value::mapping_items(tree, state_dict.node)) {
      if (!is_weight_item(tree, item)) continue;
      names->push_back(state_dict.prefix + std::string(tree.text(item.key)));
      std::string path = state_dict.path;
      value::append_key(path, tree, item.key);
      state_dict.entries.push_back({{}, std::move(path), item.value, state_dict.prefix.size()});
    }
  }
  for (std::size_t i = 0; i < names->size(); ++i) state_dict.entries[i].name = (*names)[i];
  state_dict.names = std::move(names);
}

std::vector<WeightKey> weight_keys(const Checkpoint& file, const Items& items,
                                   std::span<const std::size_t> state_dicts) {
  std::vector<WeightKey> result;
  for (const std::size_t index : state_dicts) {
    const StateDict& state_dict = items.state_dicts[index];
    if (state_dict.names) {
      result.insert(result.end(), state_dict.entries.begin(), state_dict.entries.end());
      continue;
    }
    for (const auto& item : value::mapping_items(file.tree, state_dict.node)) {
      if (!is_weight_item(file.tree, item)) continue;
      std::string path = state_dict.path;
      value::append_key(path, file.tree, item.key);
      result.push_back({file.tree.text(item.key), std::move(path), item.value, 0});
    }
  }
  return result;
}

std::vector<WeightKey> weight_keys(const Checkpoint& file, const Items& items) {
  std::vector<std::size_t> all(items.state_dicts.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return weight_keys(file, items, all);
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
