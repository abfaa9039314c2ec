// Items that a Lightning checkpoint lacks: optimizers, schedulers, loops, callbacks, hyperparameters.
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"optimizer", "scheduler", keys::kLoops, keys::kCallbacks,
                                         keys::kHparams};
constexpr ParamSpec kParams[] = {
    {"item", ParamType::kString, "", "optimizer | scheduler | loops | callbacks | hparams", kChoices},
};
// clang-format off
constexpr KindSpec kKinds[] = {
    {"missing", "", "item=optimizer"},
    {"weights-only", "", "item=optimizer"},
    {"wrong-type", "found", "item=optimizer"},
    {"empty", "", "item=optimizer"},
    {"missing", "", "item=scheduler"},
    {"wrong-type", "found", "item=scheduler"},
    {"none-state", "", "item=scheduler"},
    {"no-state", "", "item=scheduler"},
    {"no-state-of-one", "", "item=scheduler"},
    {"empty", "", "item=scheduler"},
    {"empty-unmoved", "", "item=scheduler"},
    {"missing", "", "item=loops"},
    {"wrong-type", "found", "item=loops"},
    {"no-fit-loop", "", "item=loops"},
    {"empty", "", "item=loops"},
    {"no-progress", "names", "item=loops"},
    {"missing", "", "item=callbacks"},
    {"missing", "", "item=hparams"},
    {"missing-unlike-data", "", "item=hparams"},
    {"removed", "name", "item=hparams"},
    {"emptied", "found", "item=hparams"},
    {"no-name", "name owner", "item=hparams"},
};
// clang-format on

struct Missing {
  std::string path;
  std::string_view kind;
  std::vector<Field> fields = {};
};

std::optional<Missing> no_optimizer(const Tree& tree, const training::Items& items,
                                    const training::State& training) {
  if (is_weights_only(items)) return Missing{keys::kOptimizerStates, "weights-only"};
  if (!has_optimizers(items)) return Missing{keys::kOptimizerStates, "missing"};
  if (items.by_form) return std::nullopt;
  if (!is_sequence(tree, items.optimizer_states))
    return Missing{keys::kOptimizerStates, "wrong-type", {{"found", show(tree, items.optimizer_states)}}};
  // A module without optimizers never counts a step; global_step tells it from one that lost them.
  if (!training.optimizers.empty() || training.progress.global_step == 0.0) return std::nullopt;
  return Missing{keys::kOptimizerStates, "empty"};
}

// Of groups with initial_lr, which a scheduler adds to the groups that it drives (torch.optim.lr_scheduler).
// Optimizers that decouple weight decay from the rate have one, too (Composer's DecoupledAdamW), equal to lr.
struct InitialRates {
  bool any = false, moved = false;
};

InitialRates initial_rates(const Tree& tree, std::span<const training::Optimizer> optimizers) {
  InitialRates result;
  for (const training::Optimizer& optimizer : optimizers)
    for (const training::ParamGroup& group : optimizer.groups) {
      const NodeId initial = member(tree, group.node, keys::kInitialLr);
      result.any = result.any || initial != kNoNode;
      const auto was = number_of(tree, initial), is = number_of(tree, member(tree, group.node, keys::kLr));
      result.moved = result.moved || (initial != kNoNode && (!was || !is || *was != *is));
    }
  return result;
}

// A scheduler of torch always has some state; load_state_dict({}) silently changes nothing.
std::optional<Missing> first_without_state(const Tree& tree, NodeId schedulers) {
  const auto states = sequence(tree, schedulers);
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto path = index_path(keys::kLrSchedulers, i);
    if (is_kind(tree, states[i], Kind::kNone)) return Missing{path, "none-state"};
    if (!is_mapping(tree, states[i]) || !mapping_items(tree, states[i]).empty()) continue;
    // Next to others it may be a custom class without state.
    return Missing{path, states.size() == 1 ? "no-state" : "no-state-of-one"};
  }
  return std::nullopt;
}

std::optional<Missing> no_scheduler(const Tree& tree, const training::Items& items,
                                    std::span<const training::Optimizer> optimizers) {
  if (is_weights_only(items)) return std::nullopt;  // one finding is enough: about the optimizer
  if (items.lr_schedulers == kNoNode) return Missing{keys::kLrSchedulers, "missing"};
  if (!is_sequence(tree, items.lr_schedulers))
    return Missing{keys::kLrSchedulers, "wrong-type", {{"found", show(tree, items.lr_schedulers)}}};
  const auto initial = initial_rates(tree, optimizers);
  if (!initial.any) return std::nullopt;
  if (const auto lost = first_without_state(tree, items.lr_schedulers)) return lost;
  if (!sequence(tree, items.lr_schedulers).empty()) return std::nullopt;
  return Missing{keys::kLrSchedulers, initial.moved ? "empty" : "empty-unmoved"};
}

// The value under the first key with this ending: how it begins depends on the version.
std::optional<NodeId> key_ending(const Tree& tree, NodeId dict, std::string_view suffix) {
  for (const auto& item : mapping_items(tree, dict))
    if (string_of(tree, item.key).value_or("").ends_with(suffix)) return item.value;
  return std::nullopt;
}

// With manual optimization the automatic counter is 0 anyway.
bool steps_by_hand(const Tree& tree, NodeId fit_loop) {
  const auto progress = key_ending(tree, fit_loop, ".optim_step_progress");
  const NodeId total = progress ? member(tree, *progress, "total") : kNoNode;
  return number_of(tree, member(tree, total, "completed")).value_or(0.0) > 0;
}

// What every loop since 1.6 writes. Loop.load_state_dict skips what the file lacks ("compatibility with old
// checkpoints"), and the counter starts at 0.
std::optional<Missing> no_progress(const Tree& tree, NodeId fit_loop) {
  if (mapping_items(tree, fit_loop).empty()) return Missing{keys::kFitLoopPath, "empty"};
  std::string names;
  const auto lacks = [&](std::string_view name) { names += (names.empty() ? "" : ", ") + std::string(name); };
  if (member(tree, fit_loop, keys::kEpochProgress) == kNoNode) lacks(keys::kEpochProgress);
  if (member(tree, fit_loop, keys::kBatchProgress) == kNoNode) lacks(keys::kBatchProgress);
  if (!key_ending(tree, fit_loop, ".optim_progress") && !steps_by_hand(tree, fit_loop))
    lacks("epoch_loop.automatic_optimization.optim_progress");
  if (names.empty()) return std::nullopt;
  return Missing{keys::kFitLoopPath, "no-progress", {{"names", names}}};
}

std::optional<Missing> no_loops(const Tree& tree, const training::Items& items, NodeId fit_loop) {
  // Always written since 1.6.0 (PR#10784), in save_weights_only files, too.
  if (is_weights_only(items) || !items.version || !items.version->at_least(1, 6)) return std::nullopt;
  if (items.loops == kNoNode) return Missing{keys::kLoops, "missing"};
  if (!is_mapping(tree, items.loops))
    return Missing{keys::kLoops, "wrong-type", {{"found", show(tree, items.loops)}}};
  if (fit_loop == kNoNode) return Missing{keys::kFitLoopPath, "no-fit-loop"};
  if (!is_mapping(tree, fit_loop))
    return Missing{keys::kFitLoopPath, "wrong-type", {{"found", show(tree, fit_loop)}}};
  return no_progress(tree, fit_loop);
}

// dump_checkpoint writes the key together with optimizer_states, empty where no callback has a state.
std::optional<Missing> no_callbacks(const training::Items& items) {
  if (!has_optimizers(items) || items.callbacks != kNoNode) return std::nullopt;
  return Missing{keys::kCallbacks, "missing"};
}

// --- hyperparameters --------------------------------------------------------------------------------------

// dump_checkpoint: `if obj.hparams:` writes both keys, the name if save_hyperparameters() was called.
struct HparamKeys {
  std::string_view values, name, owner;
};
constexpr HparamKeys kModelKeys = {keys::kHyperParameters, keys::kHparamsName, "module"};
constexpr HparamKeys kDataKeys = {keys::kDataModuleHyperParameters, keys::kDataModuleHparamsName,
                                  "datamodule"};

// Neither `dict(obj.hparams)` nor an OmegaConf container, or what `if obj.hparams:` leaves out.
bool is_no_hparams(const Tree& tree, NodeId node) {
  return tree.kind(node) == Kind::kDict ? tree.items(node).empty() : tree.kind(node) != Kind::kObject;
}

std::optional<Missing> no_hparams(const Tree& tree, const training::Items& items, NodeId node,
                                  const HparamKeys& keys) {
  const std::string path(keys.values), name(keys.name);
  const bool named = member(tree, items.root, keys.name) != kNoNode;
  if (node == kNoNode && named) return Missing{path, "removed", {{"name", name}}};
  // A team whose datamodule saves its own saves hyperparameters: more likely an oversight.
  if (node == kNoNode)
    return Missing{path, items.datamodule_hyper_parameters != kNoNode ? "missing-unlike-data" : "missing"};
  if (is_no_hparams(tree, node)) {
    const bool empty = is_mapping(tree, node);
    return Missing{path, "emptied", {{"found", empty ? "an empty dict" : show(tree, node)}}};
  }
  if (!named) return Missing{path, "no-name", {{"name", name}, {"owner", std::string(keys.owner)}}};
  return std::nullopt;
}

void emit_missing(Missing missing, const Emit& emit) {
  Hit hit = make_hit(std::move(missing.path), missing.kind, report::PlaceKind::kProperty);
  hit.fields = std::move(missing.fields);
  emit(std::move(hit));
}

// Needed for every purpose. A datamodule that saved no hyperparameters is fine.
void find_no_hparams(const Tree& tree, const training::Items& items, const Emit& emit) {
  if (auto missing = no_hparams(tree, items, items.hyper_parameters, kModelKeys))
    emit_missing(std::move(*missing), emit);
  const NodeId data = items.datamodule_hyper_parameters;
  if (data == kNoNode && member(tree, items.root, kDataKeys.name) == kNoNode) return;
  if (auto missing = no_hparams(tree, items, data, kDataKeys)) emit_missing(std::move(*missing), emit);
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& items = context.items();
  if (items.kind != training::FileKind::kTrainer) return;  // others hold no training state
  const Tree& tree = context.file().tree;
  const std::string& item = rule.string("item");
  if (item == keys::kHparams) return find_no_hparams(tree, items, emit);
  std::optional<Missing> missing;
  if (item == "optimizer")
    missing = no_optimizer(tree, items, context.training());
  else if (item == "scheduler")
    missing = no_scheduler(tree, items, context.training().optimizers);
  else if (item == keys::kLoops)
    missing = no_loops(tree, items, context.training().progress.fit_loop);
  else if (item == keys::kCallbacks)
    missing = no_callbacks(items);
  if (missing) emit_missing(std::move(*missing), emit);
}

}  // namespace

const Check kMissingState{
    .name = "missing-state",
    .help = "optimizers, schedulers, loops, callbacks or hyperparameters that the file lacks",
    .needs = kNothing,
    .params = kParams,
    .run = run,
    .kinds = kKinds};

}  // namespace ckpt::lint
