#include "training/items.h"

#include <algorithm>
#include <cctype>

#include "training/keys.h"
#include "training/precision.h"
#include "training/sections.h"

namespace ckpt::training {
namespace {

using value::Item;
using value::Kind;
using value::Tree;
using namespace std::string_view_literals;

bool is_dict(const Tree& tree, NodeId node) { return node != kNoNode && tree.kind(node) == Kind::kDict; }

// LightningDataModule.__class__.__qualname__: an identifier path that begins with a capital by convention; of
// for a class made in a function, what follows "make_data.<locals>.".
bool looks_like_class(std::string_view key) {
  constexpr std::string_view kLocal = ".<locals>.";
  if (const auto at = key.rfind(kLocal); at != key.npos) key.remove_prefix(at + kLocal.size());
  return !key.empty() && ((key[0] >= 'A' && key[0] <= 'Z') || key[0] == '_') &&
         std::all_of(key.begin(), key.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '_' || c == '.' || c >= 0x80;
         });
}

bool is_tensor_dict(const Tree& tree, NodeId node) {
  if (!is_dict(tree, node)) return false;
  const auto items = tree.items(node);
  const auto tensors = std::count_if(items.begin(), items.end(), [&](const Item& item) {
    return tree.kind(item.key) == Kind::kString && tree.kind(item.value) == Kind::kTensor;
  });
  return tensors > 0 && 2 * static_cast<std::size_t>(tensors) >= items.size();
}

NodeId first_of(const Tree& tree, NodeId dict, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys)
    if (const NodeId found = tree.get(dict, key); found != kNoNode) return found;
  return kNoNode;
}

void find_free_keys(const Tree& tree, Items& items) {
  for (const Item& item : tree.items(items.root)) {
    if (tree.kind(item.key) != Kind::kString) continue;
    const std::string_view key = tree.text(item.key);
    if (section_of_key(key)) continue;
    if (is_precision_key(key) || is_scaler(tree, item.value)) {
      items.precision = item.value;
      items.precision_key = key;
    } else if (items.datamodule == kNoNode && items.kind == FileKind::kTrainer && looks_like_class(key) &&
               is_dict(tree, item.value)) {
      items.datamodule = item.value;
      items.datamodule_key = key;
    }
  }
}

// Plain files: the weights are the root, or under one of their usual names.
void find_plain_weights(const Tree& tree, Items& items) {
  if (items.state_dict != kNoNode) {
    items.kind = FileKind::kWeights;
    items.state_dict_path = keys::kStateDict;
    return;
  }
  if (is_tensor_dict(tree, items.root)) {
    items.kind = FileKind::kStateDict;
    items.state_dict = items.root;
    return;
  }
  for (const std::string_view key : {"model"sv, "model_state_dict"sv, "module"sv, "net"sv, "weights"sv}) {
    const NodeId node = tree.get(items.root, key);
    if (!is_tensor_dict(tree, node)) continue;
    items.kind = FileKind::kWeights;
    items.state_dict = node;
    items.state_dict_path = key;
    return;
  }
}

std::optional<Version> version_of(const Tree& tree, NodeId node) {
  if (node == kNoNode || tree.kind(node) != Kind::kString) return std::nullopt;
  return parse_version(tree.text(node));
}

}  // namespace

std::string_view describe(FileKind kind) {
  switch (kind) {
    case FileKind::kTrainer: return "Lightning checkpoint";
    case FileKind::kWeights: return "PyTorch checkpoint (no Trainer state)";
    case FileKind::kStateDict: return "plain state_dict";
    case FileKind::kOther: return "torch file";
  }
  return "torch file";
}

Items find_items(const Checkpoint& checkpoint) {
  const Tree& tree = checkpoint.tree;
  Items items;
  items.root = tree.root();
  if (!is_dict(tree, items.root)) return items;
  const auto get = [&](std::string_view key) { return tree.get(items.root, key); };
  items.version_node = get(keys::kVersion);
  items.version = version_of(tree, items.version_node);
  items.epoch = get(keys::kEpoch);
  items.global_step = get(keys::kGlobalStep);
  items.state_dict = get(keys::kStateDict);
  items.optimizer_states = get(keys::kOptimizerStates);
  items.lr_schedulers = get(keys::kLrSchedulers);
  items.loops = get(keys::kLoops);
  items.callbacks = get(keys::kCallbacks);
  items.hyper_parameters =
      first_of(tree, items.root, {keys::kHyperParameters, keys::kHparams, keys::kModuleArguments});
  items.datamodule_hyper_parameters = get(keys::kDataModuleHyperParameters);
  items.current_model_state = get(keys::kCurrentModelState);
  items.averaging_state = get(keys::kAveragingState);
  // The Trainer always writes its version; without it, its own containers next to a state_dict still show it.
  const bool trainer_state = items.loops != kNoNode || items.optimizer_states != kNoNode ||
                             items.callbacks != kNoNode || items.lr_schedulers != kNoNode;
  if (items.version_node != kNoNode ||
      (items.state_dict != kNoNode && items.global_step != kNoNode && trainer_state)) {
    items.kind = FileKind::kTrainer;
    items.state_dict_path = keys::kStateDict;
  } else {
    find_plain_weights(tree, items);
  }
  find_free_keys(tree, items);
  return items;
}

}  // namespace ckpt::training
