#include "training/items.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <limits>

#include "base/pep440.h"
#include "value/path.h"

namespace ckpt::training {
namespace {

using value::Item;
using value::Kind;
using value::Tree;
using namespace std::string_view_literals;

bool is_dict(const Tree& tree, NodeId node) { return node != kNoNode && tree.kind(node) == Kind::kDict; }

// Class names under which precision plugins save their scaler, Lightning 1.6 to 2.6 (plugins/precision), and
// the keys of 0.7.4 to 1.5.
constexpr std::array kPrecisionKeys = {"MixedPrecision"sv,
                                       "FSDPPrecision"sv,
                                       "MixedPrecisionPlugin"sv,
                                       "FSDPMixedPrecisionPlugin"sv,
                                       "NativeMixedPrecisionPlugin"sv,
                                       "ApexMixedPrecisionPlugin"sv,
                                       "ShardedNativeMixedPrecisionPlugin"sv,
                                       "FullyShardedNativeMixedPrecisionPlugin"sv,
                                       "FullyShardedNativeNativeMixedPrecisionPlugin"sv,
                                       "HalfPrecision"sv,
                                       "native_amp_scaling_state"sv,
                                       "amp_scaling_state"sv};

// Keys of dump_checkpoint (trainer/connectors/checkpoint_connector.py) and of older versions; a key that is
// none of them and holds a dict may be the datamodule's class name (any identifier).
struct KnownKey {
  std::string_view key;
  Section section;
};
constexpr KnownKey kKeys[] = {
    {"pytorch-lightning_version", Section::kMeta},
    {"legacy_pytorch-lightning_version", Section::kMeta},
    {"hparams_name", Section::kMeta},
    {"hparams_type", Section::kMeta},
    {"datamodule_hparams_name", Section::kMeta},
    {"datamodule_hparams_type", Section::kMeta},
    {"state_dict", Section::kWeights},
    {"optimizer_states", Section::kOptimizers},
    {"lr_schedulers", Section::kSchedulers},
    {"epoch", Section::kLoops},
    {"global_step", Section::kLoops},
    {"loops", Section::kLoops},
    {"callbacks", Section::kCallbacks},
    {"hyper_parameters", Section::kHyperParameters},
    {"hparams", Section::kHyperParameters},
    {"module_arguments", Section::kHyperParameters},
    {"datamodule_hyper_parameters", Section::kDataModuleHyperParameters},
    {"current_model_state", Section::kAveraging},
    {"averaging_state", Section::kAveraging},
};

bool is_scaler_state(const Tree& tree, NodeId node) {
  return is_dict(tree, node) && tree.get(node, "scale") != kNoNode &&
         tree.get(node, "growth_factor") != kNoNode;
}

bool is_precision_key(const Tree& tree, std::string_view key, NodeId node) {
  return std::find(kPrecisionKeys.begin(), kPrecisionKeys.end(), key) != kPrecisionKeys.end() ||
         is_scaler_state(tree, node);
}

bool is_known(std::string_view key) {
  return std::any_of(std::begin(kKeys), std::end(kKeys), [&](const KnownKey& k) { return k.key == key; });
}

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
    if (is_known(key)) continue;
    if (is_precision_key(tree, key, item.value)) {
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
    items.state_dict_path = "state_dict";
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

std::string_view first_component(std::string_view path) {
  if (path.starts_with("[\"")) {
    std::size_t end = 2;
    while (end < path.size() && path[end] != '"') end += path[end] == '\\' ? 2u : 1u;
    return path.substr(2, std::min(end, path.size()) - 2);
  }
  return path.substr(0, path.find_first_of(".["));
}

// The inverse of base/text quote() for the simple escapes that real names contain.
std::string unquote(std::string_view quoted) {
  std::string text;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] == '\\' && i + 1 < quoted.size() && (quoted[i + 1] == '"' || quoted[i + 1] == '\\')) ++i;
    text.push_back(quoted[i]);
  }
  return text;
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

std::string_view title(Section section) {
  switch (section) {
    case Section::kMeta: return "meta";
    case Section::kWeights: return "weights";
    case Section::kOptimizers: return "optimizers";
    case Section::kSchedulers: return "schedulers";
    case Section::kLoops: return "progress";
    case Section::kCallbacks: return "callbacks";
    case Section::kPrecision: return "precision";
    case Section::kHyperParameters: return "hyperparameters";
    case Section::kDataModuleHyperParameters: return "datamodule hyperparameters";
    case Section::kDataModule: return "datamodule";
    case Section::kAveraging: return "averaging";
    case Section::kOther: return "other";
  }
  return "other";
}

bool Version::at_least(int a, int b, int c) const {
  if (major != a) return major > a;
  if (minor != b) return minor > b;
  return patch >= c;
}

std::optional<Version> parse_version(std::string_view text) {
  constexpr int kMost = std::numeric_limits<int>::max();
  Version version;
  version.text = text;
  if (const auto read = parse_pep440(text)) {
    std::size_t i = 0;
    for (int* part : {&version.major, &version.minor, &version.patch}) {
      const std::uint64_t number = i < read->release.size() ? read->release[i] : 0;
      *part = read->epoch > 0 ? kMost : static_cast<int>(std::min<std::uint64_t>(number, kMost));
      ++i;
    }
    version.before_release = read->before_release;
    return version;
  }
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  for (int* part : {&version.major, &version.minor, &version.patch}) {
    const auto [next, error] = std::from_chars(at, end, *part);
    if (error != std::errc{} || *part < 0)
      return part == &version.major ? std::nullopt : std::optional(version);
    at = next;
    if (at == end || *at != '.') break;
    ++at;
  }
  return version;
}

Items find_items(const Checkpoint& checkpoint) {
  const Tree& tree = checkpoint.tree;
  Items items;
  items.root = tree.root();
  if (!is_dict(tree, items.root)) return items;
  const auto get = [&](std::string_view key) { return tree.get(items.root, key); };
  items.version_node = get("pytorch-lightning_version");
  items.version = version_of(tree, items.version_node);
  items.epoch = get("epoch");
  items.global_step = get("global_step");
  items.state_dict = get("state_dict");
  items.optimizer_states = get("optimizer_states");
  items.lr_schedulers = get("lr_schedulers");
  items.loops = get("loops");
  items.callbacks = get("callbacks");
  items.hyper_parameters = first_of(tree, items.root, {"hyper_parameters", "hparams", "module_arguments"});
  items.datamodule_hyper_parameters = get("datamodule_hyper_parameters");
  items.current_model_state = get("current_model_state");
  items.averaging_state = get("averaging_state");
  // The Trainer always writes its version; without it, its own containers next to a state_dict still show it.
  const bool trainer_state = items.loops != kNoNode || items.optimizer_states != kNoNode ||
                             items.callbacks != kNoNode || items.lr_schedulers != kNoNode;
  if (items.version_node != kNoNode ||
      (items.state_dict != kNoNode && items.global_step != kNoNode && trainer_state)) {
    items.kind = FileKind::kTrainer;
    items.state_dict_path = "state_dict";
  } else {
    find_plain_weights(tree, items);
  }
  find_free_keys(tree, items);
  return items;
}

std::string current_callback_key(std::string_view key) {
  constexpr std::string_view kArgument = ", 'save_on_train_epoch_end': ";
  std::string out(key);
  const std::size_t begin = out.find(kArgument);
  if (!key.starts_with("ModelCheckpoint") || begin == out.npos) return out;
  for (const std::string_view word : {"None", "True", "False"})
    if (key.substr(begin + kArgument.size()).starts_with(word))
      return out.erase(begin, kArgument.size() + word.size());
  return out;
}

Section section_of(const Items& items, std::string_view path) {
  if (items.kind == FileKind::kStateDict) return Section::kWeights;
  const std::string key = unquote(first_component(path));
  if (!items.state_dict_path.empty() && key == items.state_dict_path) return Section::kWeights;
  if (!items.precision_key.empty() && key == items.precision_key) return Section::kPrecision;
  if (!items.datamodule_key.empty() && key == items.datamodule_key) return Section::kDataModule;
  for (const KnownKey& known : kKeys)
    if (known.key == key) return known.section;
  return Section::kOther;
}

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

}  // namespace ckpt::training
