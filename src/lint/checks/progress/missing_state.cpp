// Items of a Lightning checkpoint that are not there: optimizers, schedulers, loops, callbacks,
// hyperparameters.
#include <algorithm>

#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"optimizer", "scheduler", keys::kLoops, keys::kCallbacks,
                                         keys::kHparams};
constexpr ParamSpec kParams[] = {
    {"item", ParamType::kString, "", "optimizer | scheduler | loops | callbacks | hparams", kChoices},
};
constexpr std::string_view kFields[] = {"text"};

struct Missing {
  std::string path, kind, text;
  report::Level level = report::Level::kError;  // at most; a rule may have less
};

std::optional<Missing> no_optimizer(const Tree& tree, const training::Items& items) {
  if (is_weights_only(items))
    return Missing{keys::kOptimizerStates, "missing",
                   "absent, like lr_schedulers and callbacks (save_weights_only=True): training cannot "
                   "resume from this file"};
  if (items.optimizer_states == kNoNode)
    return Missing{keys::kOptimizerStates, "missing", "absent: training cannot resume from this file"};
  if (!is_sequence(tree, items.optimizer_states))
    return Missing{keys::kOptimizerStates, "wrong-type",
                   "expected a list, found " + show(tree, items.optimizer_states)};
  // A module without optimizers never counts a step; global_step tells it from one that lost them.
  if (!sequence(tree, items.optimizer_states).empty() || number_of(tree, items.global_step) == 0.0)
    return std::nullopt;
  return Missing{keys::kOptimizerStates, "empty",
                 "empty: Lightning resumes without a word with a fresh optimizer"};
}

// Of groups with initial_lr, which a scheduler leaves where it drives (torch.optim.lr_scheduler). Optimizers
// that decouple the weight decay from the rate keep one as well (Composer's DecoupledAdamW): that is lr
// itself.
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

// A scheduler of torch always keeps something; load_state_dict({}) changes nothing, without a word.
std::optional<Missing> first_without_state(const Tree& tree, NodeId schedulers) {
  const auto states = sequence(tree, schedulers);
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto path = index_path(keys::kLrSchedulers, i);
    if (is_kind(tree, states[i], Kind::kNone))
      return Missing{path, "no-state", "None: resuming stops with TypeError"};
    if (!is_mapping(tree, states[i]) || !mapping_items(tree, states[i]).empty()) continue;
    // Beside others it may be a class of somebody's own, which has nothing to keep.
    return Missing{path, "no-state",
                   "{}, but the parameter groups carry initial_lr: there was a scheduler, and it restarts",
                   states.size() == 1 ? report::Level::kError : report::Level::kWarning};
  }
  return std::nullopt;
}

std::optional<Missing> no_scheduler(const Tree& tree, const training::Items& items,
                                    std::span<const training::Optimizer> optimizers) {
  if (is_weights_only(items)) return std::nullopt;  // T11: one finding, about the optimizer
  if (items.lr_schedulers == kNoNode)
    return Missing{keys::kLrSchedulers, "missing", "absent: Lightning raises KeyError when training resumes"};
  if (!is_sequence(tree, items.lr_schedulers))
    return Missing{keys::kLrSchedulers, "wrong-type",
                   "expected a list, found " + show(tree, items.lr_schedulers)};
  const auto initial = initial_rates(tree, optimizers);
  if (!initial.any) return std::nullopt;
  if (const auto lost = first_without_state(tree, items.lr_schedulers)) return lost;
  if (!sequence(tree, items.lr_schedulers).empty()) return std::nullopt;
  if (initial.moved)
    return Missing{
        keys::kLrSchedulers, "empty",
        "empty, but the parameter groups carry initial_lr: there was a scheduler, and it restarts"};
  return Missing{
      keys::kLrSchedulers, "empty",
      "empty, but the parameter groups carry initial_lr: there was a scheduler, and it restarts, or "
      "the optimizer keeps the rate itself, which is still the same",
      report::Level::kWarning};
}

constexpr std::string_view kRestart = "training restarts at epoch 0 and step 0 with the old optimizer state";

// The value under the first key that ends like that: the beginning depends on the version.
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

// What every loop since 1.6 writes. Loop.load_state_dict skips what is not there ("compatibility with old
// checkpoints"), and the counter begins at 0.
std::optional<Missing> no_progress(const Tree& tree, NodeId fit_loop) {
  if (mapping_items(tree, fit_loop).empty())
    return Missing{keys::kFitLoopPath, "empty", "empty: " + std::string(kRestart)};
  std::string names, counts;
  const auto lacks = [&](std::string_view name, std::string_view count) {
    names += (names.empty() ? "" : ", ") + std::string(name);
    counts += (counts.empty() ? "" : ", ") + std::string(count);
  };
  if (member(tree, fit_loop, keys::kEpochProgress) == kNoNode) lacks(keys::kEpochProgress, "epochs");
  if (member(tree, fit_loop, keys::kBatchProgress) == kNoNode) lacks(keys::kBatchProgress, "batches");
  if (!key_ending(tree, fit_loop, ".optim_progress") && !steps_by_hand(tree, fit_loop))
    lacks("epoch_loop.automatic_optimization.optim_progress", "steps");
  if (names.empty()) return std::nullopt;
  return Missing{keys::kFitLoopPath, "no-progress",
                 "no " + names + ": " + counts + " are counted from 0 again"};
}

std::optional<Missing> no_loops(const Tree& tree, const training::Items& items, NodeId fit_loop) {
  // Always written since 1.6.0 (PR#10784), in save_weights_only files, too.
  if (is_weights_only(items) || !items.version || !items.version->at_least(1, 6)) return std::nullopt;
  if (items.loops == kNoNode) return Missing{keys::kLoops, "missing", "absent: " + std::string(kRestart)};
  if (!is_mapping(tree, items.loops))
    return Missing{keys::kLoops, "wrong-type", "expected a dict, found " + show(tree, items.loops)};
  if (fit_loop == kNoNode)
    return Missing{keys::kFitLoopPath, "missing",
                   "absent: Lightning raises KeyError 'fit_loop' when training resumes"};
  if (!is_mapping(tree, fit_loop))
    return Missing{keys::kFitLoopPath, "wrong-type", "expected a dict, found " + show(tree, fit_loop)};
  return no_progress(tree, fit_loop);
}

// dump_checkpoint writes the key beside optimizer_states, empty where no callback has a state.
std::optional<Missing> no_callbacks(const training::Items& items) {
  if (items.optimizer_states == kNoNode || items.callbacks != kNoNode) return std::nullopt;
  return Missing{
      keys::kCallbacks, "missing",
      "absent, though optimizer_states is there: ModelCheckpoint, EarlyStopping and all others begin "
      "anew"};
}

// --- hyperparameters --------------------------------------------------------------------------------------

// dump_checkpoint: `if obj.hparams:` writes both keys, the name if save_hyperparameters() was called.
struct HparamKeys {
  std::string_view values, name, whose;
};
constexpr HparamKeys kModelKeys = {keys::kHyperParameters, keys::kHparamsName, "module"};
constexpr HparamKeys kDataKeys = {keys::kDataModuleHyperParameters, keys::kDataModuleHparamsName,
                                  "datamodule"};

// What no `dict(obj.hparams)` and no OmegaConf container is, and what `if obj.hparams:` leaves out.
bool is_no_hparams(const Tree& tree, NodeId node) {
  return tree.kind(node) == Kind::kDict ? tree.items(node).empty() : tree.kind(node) != Kind::kObject;
}

std::optional<Missing> no_hparams(const Tree& tree, const training::Items& items, NodeId node,
                                  const HparamKeys& keys) {
  const std::string path(keys.values), name(keys.name);
  const bool named = member(tree, items.root, keys.name) != kNoNode;
  if (node == kNoNode && named)
    return Missing{
        path, "removed",
        "absent, but " + name + " is there: Lightning writes both or neither, somebody removed them",
        report::Level::kWarning};
  // Where the datamodule's are there, the team saves them.
  if (node == kNoNode)
    return Missing{
        path, "missing",
        "absent, like " + name +
            ": save_hyperparameters() was not called, and load_from_checkpoint needs every __init__ "
            "argument without a default from its caller",
        items.datamodule_hyper_parameters != kNoNode ? report::Level::kWarning : report::Level::kNote};
  if (is_no_hparams(tree, node))
    return Missing{path, "emptied",
                   (is_mapping(tree, node) ? "an empty dict" : show(tree, node)) +
                       ": Lightning writes a dict with something in it or no key, somebody changed it",
                   report::Level::kWarning};
  if (!named)
    return Missing{path, "no-name",
                   "there, but not " + name + ": the " + std::string(keys.whose) +
                       " filled self.hparams without save_hyperparameters(), or somebody removed the name",
                   report::Level::kNote};
  return std::nullopt;
}

Hit hit_of(const Missing& missing) {
  Hit hit = text_hit(missing.path, missing.kind, missing.text, report::PlaceKind::kProperty);
  hit.level = missing.level;
  return hit;
}

// Needed for every purpose. A datamodule that saved nothing is nothing to tell.
void find_no_hparams(const Tree& tree, const training::Items& items, const Emit& emit) {
  if (const auto missing = no_hparams(tree, items, items.hyper_parameters, kModelKeys))
    emit(hit_of(*missing));
  const auto data = no_hparams(tree, items, items.datamodule_hyper_parameters, kDataKeys);
  if (data && data->kind != "missing") emit(hit_of(*data));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& items = context.items();
  if (items.kind != training::FileKind::kTrainer) return;  // others hold no training state
  const Tree& tree = context.file().tree;
  const std::string& item = rule.string("item");
  if (item == keys::kHparams) return find_no_hparams(tree, items, emit);
  std::optional<Missing> missing;
  if (item == "optimizer")
    missing = no_optimizer(tree, items);
  else if (item == "scheduler")
    missing = no_scheduler(tree, items, context.training().optimizers);
  else if (item == keys::kLoops)
    missing = no_loops(tree, items, context.training().progress.fit_loop);
  else if (item == keys::kCallbacks)
    missing = no_callbacks(items);
  const auto level = training_state_level(context.profile);
  if (!missing || !level) return;
  Hit hit = hit_of(*missing);
  hit.level = std::min(*level, missing->level);
  emit(std::move(hit));
}

}  // namespace

const Check kMissingState{
    .name = "missing-state",
    .help = "optimizers, schedulers, loops, callbacks or hyperparameters that are not in the file",
    .needs = kNothing,
    .params = kParams,
    .fields = kFields,
    .run = run};

}  // namespace ckpt::lint
