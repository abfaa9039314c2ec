// How far schedulers are: beyond their end, or stepped at another pace than epochs and optimizer steps.
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"text"};

std::optional<double> number(const Tree& tree, NodeId scheduler, std::string_view key) {
  return number_of(tree, member(tree, scheduler, key));
}

// --- the end ----------------------------------------------------------------------------------------------

// torch/optim/lr_scheduler.py. LinearLR and ConstantLR pass total_iters by design (warm-ups).
std::string end_of(const Tree& tree, NodeId scheduler) {
  const auto last = number(tree, scheduler, "last_epoch");
  if (!last) return {};
  if (const auto total = number(tree, scheduler, "total_steps"); total && *last >= *total)
    return fmt::format("{:.0f} of total_steps {:.0f}: OneCycleLR raises ValueError at its next step", *last,
                       *total);
  if (const auto period = number(tree, scheduler, "T_max"); period && *last > *period)
    return fmt::format("{:.0f}, beyond T_max {:.0f}: the cosine rises again", *last, *period);
  const bool polynomial = member(tree, scheduler, "power") != kNoNode;
  if (const auto total = number(tree, scheduler, "total_iters"); polynomial && total && *last > *total)
    return fmt::format("{:.0f}, beyond total_iters {:.0f}: the learning rate stays 0", *last, *total);
  return {};
}

void run_end(const Context& context, const Rule& rule, const Emit& emit) {
  const auto level = resuming_level(context.profile, rule.level);
  if (!level) return;  // whoever does not go on may well be at the end
  for (const auto& scheduler : schedulers_of(context)) {
    auto text = end_of(context.file().tree, scheduler.node);
    if (text.empty()) continue;
    Hit hit = text_hit(key_path(scheduler.path, "last_epoch"), "exhausted", std::move(text));
    hit.level = *level;
    emit(std::move(hit));
  }
}

// --- the pace ---------------------------------------------------------------------------------------------

bool near(double a, double b) { return std::abs(a - b) <= 1; }

// What one scheduler may have counted: epochs, batches or optimizer steps; T8: off by one in mid-epoch.
struct Pace {
  std::optional<EpochsDone> epochs;
  std::vector<double> steps;

  bool explains(double last) const {
    if (epochs && last >= epochs->low && last <= epochs->high) return true;
    for (const double step : steps)
      if (near(last, step)) return true;
    return false;
  }
};

Pace pace_of(const Context& context) {
  const Tree& tree = context.file().tree;
  const auto& items = context.items();
  Pace pace;
  pace.epochs = epochs_done(context);
  if (const auto step = number_of(tree, items.global_step)) {
    pace.steps.push_back(*step);
    // T16: global_step counts all optimizers, a scheduler steps with one of them.
    const auto optimizers = sequence(tree, items.optimizer_states).size();
    if (optimizers > 1) pace.steps.push_back(*step / static_cast<double>(optimizers));
  }
  const NodeId fit_loop = member(tree, items.loops, "fit_loop");
  if (const auto stepped = number_of(
          tree, member(tree, member(tree, fit_loop, "epoch_loop.state_dict"), "_batches_that_stepped")))
    pace.steps.push_back(*stepped);
  return pace;
}

void run_pace(const Context& context, const Rule&, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const Pace pace = pace_of(context);
  if (!pace.epochs || pace.steps.empty()) return;
  for (const auto& scheduler : schedulers_of(context)) {
    const auto last = number(tree, scheduler.node, "last_epoch");
    // T9: schedulers inside of another one count from their own start.
    if (!last || scheduler.path != index_path("lr_schedulers", scheduler.top) || pace.explains(*last))
      continue;
    Hit hit = text_hit(
        key_path(scheduler.path, "last_epoch"), "step-count",
        fmt::format(
            "{:.0f}: neither the epochs ({:.0f} to {:.0f}) nor the steps ({:.0f}): stepped twice, or at an "
            "interval of its own",
            *last, pace.epochs->low, pace.epochs->high, pace.steps.front()));
    hit.properties = {{"lastEpoch", *last}, {"globalStep", pace.steps.front()}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kSchedulerEnd{.name = "scheduler-end",
                          .help = "schedulers that are beyond their last step",
                          .needs = kNothing,
                          .params = {},
                          .fields = kFields,
                          .run = run_end};

const Check kSchedulerPace{.name = "scheduler-pace",
                           .help = "schedulers that stepped neither once an epoch nor once a step",
                           .needs = kNothing,
                           .params = {},
                           .fields = kFields,
                           .run = run_pace};

}  // namespace ckpt::lint
