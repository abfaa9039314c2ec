#include "training/items.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

#include "training/budget.h"
#include "training/keys.h"
#include "training/paths.h"
#include "training/precision.h"
#include "training/sections.h"
#include "training/weights.h"
#include "value/access.h"
#include "value/path.h"

namespace ckpt::training {
namespace {

using value::Item;
using value::Kind;
using value::Tree;

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

// --- files of other loops
// -----------------------------------------------------------------------------------

// The lists that Part::index counts in.
std::size_t list_of(Form form) { return form == Form::kModule ? 0 : static_cast<std::size_t>(form); }

void add_parts(Items& items, std::vector<Found> found) {
  std::array<std::size_t, 8> counts{};
  for (Found& one : found) {
    items.part_at.emplace(one.path, items.parts.size());
    items.parts.push_back({one.form, std::move(one.path), one.node, counts[list_of(one.form)]++});
  }
}

bool has_part(const Items& items, Form form) {
  return std::any_of(items.parts.begin(), items.parts.end(),
                     [&](const Part& part) { return part.form == form; });
}

FileKind kind_of(const Items& items) {
  if (const Part* root = part_of(items, "")) switch (root->form) {
      case Form::kStateDict: return FileKind::kStateDict;
      case Form::kModule: return FileKind::kModule;
      case Form::kOptimizer: return FileKind::kOptimizer;
      case Form::kScheduler: return FileKind::kScheduler;
      case Form::kScaler: return FileKind::kTraining;
    }
  for (const Form form : {Form::kOptimizer, Form::kScheduler, Form::kScaler})
    if (has_part(items, form)) return FileKind::kTraining;
  return items.parts.empty() ? FileKind::kOther : FileKind::kWeights;
}

// `state_dict` is one whatever it holds, unless others are inside of it or instead of it.
void find_parts(const Checkpoint& checkpoint, Items& items) {
  std::vector<Found> found = find_forms(checkpoint);
  const bool any =
      std::any_of(found.begin(), found.end(), [](const Found& one) { return is_model(one.form); });
  if (items.state_dict != kNoNode && !any)
    found.push_back({Form::kStateDict, keys::kStateDict, items.state_dict});
  add_parts(items, std::move(found));
  items.kind = kind_of(items);
}

// The usual names of counters, at the root or in the dicts in which frameworks gather them (mmengine's meta).
// Not `epochs`, `max_steps`: those are plans.
struct Counter {
  NodeId node = kNoNode;
  std::string path;
};

Counter find_counter(const Tree& tree, NodeId root, std::span<const std::string_view> names) {
  constexpr std::string_view kPlaces[] = {"", "meta", "progress", "trainer", "train_state"};
  for (const std::string_view place : kPlaces) {
    const NodeId dict = place.empty() ? root : value::member(tree, root, place);
    const std::string path = place.empty() ? "" : value::key_path("", place);
    for (const std::string_view name : names)
      if (const NodeId node = value::member(tree, dict, name); value::number_of(tree, node))
        return {node, value::key_path(path, name)};
  }
  return {};
}

void find_counters(const Tree& tree, Items& items) {
  constexpr std::string_view kEpochs[] = {keys::kEpoch, "current_epoch", "cur_epoch",
                                          "epoch_idx",  "epochs_run",    "epochs_trained"};
  constexpr std::string_view kSteps[] = {
      keys::kGlobalStep, "step",         "steps",       "iteration",   "iter", "iter_num",    "n_iter",
      "global_iter",     "current_step", "num_updates", "total_iters", "it",   "global_steps"};
  const auto take = [&](std::span<const std::string_view> names, NodeId& node, std::string& path) {
    if (node != kNoNode) return;
    Counter counter = find_counter(tree, items.root, names);
    node = counter.node;
    path = std::move(counter.path);
  };
  take(kEpochs, items.epoch, items.epoch_path);
  take(kSteps, items.global_step, items.global_step_path);
}

// --- names
// --------------------------------------------------------------------------------------------------

// What files call their model, or put around its weights, the surest first.
constexpr std::string_view kModelKeys[] = {keys::kStateDict, "model_state_dict", "model", "module", "net",
                                           "network",        "weights",          "params"};

std::size_t rank_of(std::string_view key) {
  return static_cast<std::size_t>(std::find(std::begin(kModelKeys), std::end(kModelKeys), key) -
                                  std::begin(kModelKeys));
}

// A path without what merely says that it is a model: generator of generator.state_dict; "" of model.
std::string distinction(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::string_view step = first_step(path);
    if (step.starts_with('[') || rank_of(key_of_step(step)) == std::size(kModelKeys)) out += step;
    path.remove_prefix(step.size());
  }
  return out.starts_with('.') ? out.substr(1) : out;
}

// The state_dict that the file calls its model, if it is not the only one.
std::size_t main_of(const std::vector<StateDict>& all) {
  if (all.size() == 1) return 0;
  std::size_t best = all.size(), best_rank = std::size(kModelKeys);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!distinction(all[i].path).empty()) continue;
    const std::size_t rank = rank_of(first_key(all[i].path));
    if (rank < best_rank) {
      best = i;
      best_rank = rank;
    }
  }
  return best;
}

void set_prefixes(std::vector<StateDict>& all, std::size_t main) {
  std::map<std::string, std::size_t> times;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (i != main) ++times[all[i].prefix = distinction(all[i].path)];
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == main) continue;
    if (all[i].prefix.empty() || times[all[i].prefix] > 1) all[i].prefix = all[i].path;
    all[i].prefix += '.';
  }
}

void find_state_dicts(const Tree& tree, Items& items) {
  for (const Part& part : items.parts)
    if (is_model(part.form))
      items.state_dicts.push_back({part.path, part.node, part.form == Form::kModule, {}, {}, {}});
  const std::size_t main = main_of(items.state_dicts);
  items.state_dict = kNoNode;
  if (main < items.state_dicts.size()) {
    items.state_dict = items.state_dicts[main].node;
    items.state_dict_path = items.state_dicts[main].path;
  }
  set_prefixes(items.state_dicts, main);
  for (StateDict& state_dict : items.state_dicts) list_entries(tree, state_dict);
}

// Lightning's sharded strategies write the weights as `model` (FSDP; ModelParallel has their usual key) and
// optimizer i as `optimizer_i` (lightning/pytorch/strategies/fsdp.py, model_parallel.py): both are found by
// their form.
bool is_sharded(const Tree& tree, const Items& items) {
  if (items.optimizer_states != kNoNode) return false;
  return value::member(tree, items.root, "optimizer_0") != kNoNode ||
         (items.state_dict == kNoNode && is_dict(tree, value::member(tree, items.root, "model")));
}

std::optional<Version> version_of(const Tree& tree, NodeId node) {
  if (node == kNoNode || tree.kind(node) != Kind::kString) return std::nullopt;
  return parse_version(tree.text(node));
}

}  // namespace

std::string_view describe(FileKind kind) {
  switch (kind) {
    case FileKind::kTrainer: return "Lightning checkpoint";
    case FileKind::kTraining: return "PyTorch training checkpoint";
    case FileKind::kWeights: return "PyTorch checkpoint (no Trainer state)";
    case FileKind::kStateDict: return "plain state_dict";
    case FileKind::kModule: return "pickled nn.Module";
    case FileKind::kOptimizer: return "state of an optimizer";
    case FileKind::kScheduler: return "state of a learning rate scheduler";
    case FileKind::kOther: return "torch file";
  }
  return "torch file";
}

Items find_items(const Checkpoint& checkpoint) {
  const Tree& tree = checkpoint.tree;
  Items items;
  items.root = tree.root();
  if (items.root == kNoNode) return items;
  const auto get = [&](std::string_view key) { return value::member(tree, items.root, key); };
  items.version_node = get(keys::kVersion);
  items.version = version_of(tree, items.version_node);
  items.epoch = get(keys::kEpoch);
  items.global_step = get(keys::kGlobalStep);
  if (items.epoch != kNoNode) items.epoch_path = keys::kEpoch;
  if (items.global_step != kNoNode) items.global_step_path = keys::kGlobalStep;
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
  const bool trainer = items.version_node != kNoNode ||
                       (items.state_dict != kNoNode && items.global_step != kNoNode && trainer_state);
  items.by_form = !trainer || is_sharded(tree, items);
  if (items.by_form)
    find_parts(checkpoint, items);
  else if (items.state_dict != kNoNode)
    add_parts(items, {{Form::kStateDict, keys::kStateDict, items.state_dict}});
  if (trainer)
    items.kind = FileKind::kTrainer;
  else
    find_counters(tree, items);
  find_state_dicts(tree, items);
  if (!items.by_form) items.state_dict_path = keys::kStateDict;
  find_free_keys(tree, items);
  return items;
}

bool has_optimizers(const Items& items) {
  return items.optimizer_states != kNoNode || (items.by_form && has_part(items, Form::kOptimizer));
}

std::vector<PlacedNode> places_of(const Tree& tree, const Items& items, Form form, NodeId list,
                                  std::string_view key) {
  std::vector<PlacedNode> out;
  // A sharded Trainer keeps the list of its schedulers.
  if (items.kind == FileKind::kTrainer && (!items.by_form || list != kNoNode)) {
    const auto nodes = value::sequence(tree, list);
    Budget budget;
    for (std::size_t i = 0; i < nodes.size() && budget.take(Budget::kStruct); ++i)
      out.push_back({value::index_path(std::string(key), i), nodes[i]});
    return out;
  }
  for (const Part& part : items.parts)
    if (part.form == form) out.push_back({part.path, part.node});
  return out;
}

const Part* part_of(const Items& items, std::string_view path) {
  std::size_t size = 0;
  for (;;) {
    const auto found = items.part_at.find(path.substr(0, size));
    if (found != items.part_at.end()) return &items.parts[found->second];
    if (size >= path.size()) return nullptr;
    size += first_step(path.substr(size)).size();
  }
}

std::optional<std::string> trainer_path(const Items& items, std::string_view path) {
  const Part* part = items.by_form ? part_of(items, path) : nullptr;
  if (part == nullptr || (part->form != Form::kOptimizer && part->form != Form::kScheduler))
    return std::nullopt;
  const char* list = part->form == Form::kOptimizer ? keys::kOptimizerStates : keys::kLrSchedulers;
  std::string_view rest = path.substr(part->path.size());
  std::string out = value::index_path(list, part->index);
  if (!rest.empty() && !rest.starts_with('.') && !rest.starts_with('[')) out += '.';
  return out.append(rest);
}

}  // namespace ckpt::training
