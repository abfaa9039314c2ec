// How far schedulers are: at an epoch that their own steps do not lead to, at their end, or stepped at
// another pace than epochs and optimizer steps.
#include <algorithm>
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

// --- the own count ----------------------------------------------------------------------------------------

// Both counters go up by one in LRScheduler.step(), from -1 and 0. Not so where step(epoch) is the usual call
// (CosineAnnealingWarmRestarts) and where a scheduler continues another one (SWALR).
bool counts_alone(const Tree& tree, NodeId scheduler) {
  constexpr std::string_view kOther[] = {"T_cur", "anneal_epochs"};
  return std::none_of(std::begin(kOther), std::end(kOther),
                      [&](auto key) { return member(tree, scheduler, key) != kNoNode; });
}

// The schedulers of torch.optim, by what they keep: a class of somebody's own may count as it likes.
bool is_torch(const Tree& tree, NodeId scheduler) {
  constexpr std::string_view kOwn[] = {"gamma", "lr_lambdas", "total_iters", "T_max", "total_steps"};
  return std::any_of(std::begin(kOwn), std::end(kOwn),
                     [&](auto key) { return member(tree, scheduler, key) != kNoNode; });
}

struct Miscount {
  double last = 0, steps = 0;
  bool negative() const { return last < 0; }
};

// What scheduler.step(epoch) in lr_scheduler_step leaves: the epoch that was trained last, or the next one.
bool is_epoch(const training::EpochsDone& epochs, double last) {
  return last >= epochs.low - 1 && last <= epochs.high;
}

// SequentialLR restarts the schedulers that it holds, and takes back steps of those whose turn has not come.
std::optional<Miscount> miscount_of(const Context& context, const Scheduler& at) {
  const Tree& tree = context.file().tree;
  const auto epochs = context.training().progress.done;
  const auto last = number(tree, at.node, keys::kLastEpoch), steps = number(tree, at.node, keys::kStepCount);
  if (at.inner || !is_torch(tree, at.node)) return std::nullopt;
  if (!last || !steps || !std::isfinite(*last) || !std::isfinite(*steps)) return std::nullopt;
  const bool negative = *last < 0 && *steps > 0;
  const bool differs =
      counts_alone(tree, at.node) && *last + 1 != *steps && !(epochs && is_epoch(*epochs, *last));
  return negative || differs ? std::optional(Miscount{*last, *steps}) : std::nullopt;
}

// The next step adds 1 to it.
std::optional<Hit> no_number(const Tree& tree, const Scheduler& at) {
  const NodeId last = at.last_epoch;
  const bool wrong = is_kind(tree, last, Kind::kString) || is_kind(tree, last, Kind::kNone) ||
                     is_sequence(tree, last) || is_mapping(tree, last);
  if (!wrong || !is_torch(tree, at.node)) return std::nullopt;
  return text_hit(key_path(at.path, keys::kLastEpoch), "wrong-type",
                  "expected an int, found " + show(tree, last) + ": the next step raises TypeError");
}

void run_count(const Context& context, const Rule&, const Emit& emit) {
  for (const auto& scheduler : schedulers_of(context)) {
    if (auto hit = no_number(context.file().tree, scheduler)) emit(std::move(*hit));
    const auto miscount = miscount_of(context, scheduler);
    if (!miscount) continue;
    Hit hit = text_hit(
        key_path(scheduler.path, keys::kLastEpoch), "last-epoch",
        miscount->negative()
            ? fmt::format("{:.0f}, but _step_count is {:.0f}: no step leads below 0", miscount->last,
                          miscount->steps)
            : fmt::format("{:.0f}, but _step_count is {:.0f}, and every step counts both: {:.0f} expected",
                          miscount->last, miscount->steps, miscount->steps - 1));
    if (!miscount->negative()) hit.level = report::Level::kWarning;
    hit.properties = {{"lastEpoch", miscount->last}, {"stepCount", miscount->steps}};
    emit(std::move(hit));
  }
}

// --- the end ----------------------------------------------------------------------------------------------

struct End {
  std::string_view key = keys::kLastEpoch;
  std::string text;
  report::Level level = report::Level::kWarning;
};

// torch/optim/lr_scheduler.py. LinearLR and ConstantLR pass total_iters by design (warm-ups). An end that
// every finished run reaches is worth a note.
std::optional<End> end_of(const Tree& tree, NodeId scheduler) {
  const auto last = number(tree, scheduler, keys::kLastEpoch);
  if (!last) return std::nullopt;
  const auto end = [](std::string text, report::Level level) {
    return End{keys::kLastEpoch, std::move(text), level};
  };
  if (const auto total = number(tree, scheduler, "total_steps"); total && *last > *total)
    return end(fmt::format("{:.0f}, beyond total_steps {:.0f}, where OneCycleLR stops with ValueError", *last,
                           *total),
               report::Level::kWarning);
  else if (total && *last == *total)
    return end(
        fmt::format("{:.0f} of total_steps {:.0f}: the schedule is complete, OneCycleLR raises ValueError "
                    "at one more step",
                    *last, *total),
        report::Level::kNote);
  const auto period = number(tree, scheduler, "T_max");
  if (period && *period == 0)
    return End{"T_max",
               "0: CosineAnnealingLR divides by it, and stops with ZeroDivisionError at its next step",
               report::Level::kWarning};
  if (period && *last > *period)
    return end(fmt::format("{:.0f}, beyond T_max {:.0f}: the cosine rises again", *last, *period),
               report::Level::kNote);
  const bool polynomial = member(tree, scheduler, "power") != kNoNode;
  if (const auto total = number(tree, scheduler, "total_iters"); polynomial && total && *last > *total)
    return end(fmt::format("{:.0f}, beyond total_iters {:.0f}: the learning rate stays 0", *last, *total),
               report::Level::kWarning);
  return std::nullopt;
}

void run_end(const Context& context, const Rule& rule, const Emit& emit) {
  const auto level = resuming_level(context.profile, rule.level);
  if (!level) return;  // whoever does not go on may well be at the end
  const Tree& tree = context.file().tree;
  for (const auto& scheduler : schedulers_of(context)) {
    auto end = end_of(tree, scheduler.node);
    if (!end || (end->key == keys::kLastEpoch && miscount_of(context, scheduler))) continue;
    Hit hit = text_hit(key_path(scheduler.path, end->key), "exhausted", std::move(end->text));
    hit.level = std::min(*level, end->level);
    emit(std::move(hit));
  }
}

// --- the pace ---------------------------------------------------------------------------------------------

bool near(double a, double b) { return std::abs(a - b) <= 1; }

// What one scheduler may have counted: epochs, batches or optimizer steps; off by one in mid-epoch.
struct Pace {
  std::optional<training::EpochsDone> epochs;
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
  const training::Progress& progress = context.training().progress;
  Pace pace;
  pace.epochs = progress.done;
  if (const auto step = progress.global_step) {
    pace.steps.push_back(*step);
    // T16: global_step counts all optimizers, a scheduler steps with one of them.
    const auto optimizers = sequence(tree, context.items().optimizer_states).size();
    if (optimizers > 1) pace.steps.push_back(*step / static_cast<double>(optimizers));
  }
  if (const auto stepped =
          number_of(tree, member(tree, progress.epoch_loop_state, keys::kBatchesThatStepped)))
    pace.steps.push_back(*stepped);
  return pace;
}

void run_pace(const Context& context, const Rule&, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const Pace pace = pace_of(context);
  if (!pace.epochs || pace.steps.empty()) return;
  for (const auto& scheduler : schedulers_of(context)) {
    const auto last = number(tree, scheduler.node, keys::kLastEpoch);
    // T9: schedulers inside of another one count from their own start.
    if (!last || scheduler.inner || pace.explains(*last) || miscount_of(context, scheduler)) continue;
    Hit hit = text_hit(
        key_path(scheduler.path, keys::kLastEpoch), "step-count",
        fmt::format(
            "{:.0f}: neither the epochs ({:.0f} to {:.0f}) nor the steps ({:.0f}): stepped twice, or at an "
            "interval of its own",
            *last, pace.epochs->low, pace.epochs->high, pace.steps.front()));
    hit.properties = {{"lastEpoch", *last}, {"globalStep", pace.steps.front()}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kSchedulerCount{.name = "scheduler-count",
                            .help = "schedulers at an epoch that their own steps do not lead to",
                            .needs = kNothing,
                            .params = {},
                            .fields = kFields,
                            .run = run_count};

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
