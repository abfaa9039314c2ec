// Items of a Lightning checkpoint that are not there: optimizers, schedulers, loops, hyperparameters.

#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"optimizer", "scheduler", "loops", "hparams"};
constexpr ParamSpec kParams[] = {
    {"item", ParamType::kString, "", "optimizer | scheduler | loops | hparams", kChoices},
};
constexpr std::string_view kFields[] = {"text"};

struct Missing {
  std::string path, kind, text;
};

std::optional<Missing> no_optimizer(const Tree& tree, const lightning::Items& items) {
  if (is_weights_only(items))
    return Missing{"optimizer_states", "missing",
                   "absent, like lr_schedulers and callbacks (save_weights_only=True): training cannot "
                   "resume from this file"};
  if (items.optimizer_states == kNoNode)
    return Missing{"optimizer_states", "missing", "absent: training cannot resume from this file"};
  if (!is_sequence(tree, items.optimizer_states))
    return Missing{"optimizer_states", "wrong-type",
                   "expected a list, found " + show(tree, items.optimizer_states)};
  // A module without optimizers never counts a step; global_step tells it from one that lost them.
  if (!sequence(tree, items.optimizer_states).empty() || number_of(tree, items.global_step) == 0.0)
    return std::nullopt;
  return Missing{"optimizer_states", "empty",
                 "empty: Lightning resumes without a word with a fresh optimizer"};
}

bool any_initial_lr(const Tree& tree, NodeId optimizers) {
  for (const NodeId state : sequence(tree, optimizers))
    for (const NodeId group : sequence(tree, member(tree, state, "param_groups")))
      if (member(tree, group, "initial_lr") != kNoNode) return true;
  return false;
}

std::optional<Missing> no_scheduler(const Tree& tree, const lightning::Items& items) {
  if (is_weights_only(items)) return std::nullopt;  // T11: one finding, about the optimizer
  if (items.lr_schedulers == kNoNode)
    return Missing{"lr_schedulers", "missing", "absent: Lightning raises KeyError when training resumes"};
  if (!is_sequence(tree, items.lr_schedulers))
    return Missing{"lr_schedulers", "wrong-type",
                   "expected a list, found " + show(tree, items.lr_schedulers)};
  // initial_lr is what a scheduler leaves in the groups that it drives (torch.optim.lr_scheduler).
  if (!sequence(tree, items.lr_schedulers).empty() || !any_initial_lr(tree, items.optimizer_states))
    return std::nullopt;
  return Missing{"lr_schedulers", "empty",
                 "empty, but the parameter groups carry initial_lr: there was a scheduler, and it restarts"};
}

std::optional<Missing> no_loops(const Tree& tree, const lightning::Items& items) {
  // Always written since 1.6.0 (PR#10784), in save_weights_only files, too.
  if (is_weights_only(items) || !items.version || !items.version->at_least(1, 6)) return std::nullopt;
  if (items.loops == kNoNode)
    return Missing{"loops", "missing",
                   "absent: training restarts at epoch 0 and step 0 with the old optimizer state"};
  if (!is_mapping(tree, items.loops))
    return Missing{"loops", "wrong-type", "expected a dict, found " + show(tree, items.loops)};
  if (is_mapping(tree, member(tree, items.loops, "fit_loop"))) return std::nullopt;
  return Missing{"loops.fit_loop", "missing",
                 "absent: training restarts at epoch 0 and step 0 with the old optimizer state"};
}

std::optional<Missing> no_hparams(const lightning::Items& items) {
  if (items.hyper_parameters != kNoNode) return std::nullopt;
  return Missing{
      "hyper_parameters", "missing",
      "absent: load_from_checkpoint needs every __init__ argument without a default from its caller"};
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& items = context.items();
  if (items.kind != lightning::FileKind::kTrainer) return;  // T12
  const Tree& tree = context.file().tree;
  const std::string& item = rule.string("item");
  std::optional<Missing> missing;
  if (item == "optimizer")
    missing = no_optimizer(tree, items);
  else if (item == "scheduler")
    missing = no_scheduler(tree, items);
  else if (item == "loops")
    missing = no_loops(tree, items);
  else if (item == "hparams")
    missing = no_hparams(items);
  if (!missing) return;
  Hit hit = text_hit(missing->path, missing->kind, missing->text, report::PlaceKind::kProperty);
  if (item != "hparams") {  // hyperparameters are needed for every purpose
    const auto level = training_state_level(context.profile);
    if (!level) return;
    hit.level = *level;
  }
  emit(std::move(hit));
}

}  // namespace

const Check kMissingState{.name = "missing-state",
                          .help = "optimizers, schedulers, loops or hyperparameters that are not in the file",
                          .needs = kNothing,
                          .params = kParams,
                          .fields = kFields,
                          .run = run};

}  // namespace ckpt::lint
