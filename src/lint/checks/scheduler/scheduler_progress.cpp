// How far schedulers are: at an epoch that contradicts their own step count, at their end, or stepped neither
// once per epoch nor once per step.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "lint/checks/list.h"
#include "lint/checks/scheduler/closed_form.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

std::optional<double> number(const Tree& tree, NodeId scheduler, std::string_view key) {
  return number_of(tree, member(tree, scheduler, key));
}

constexpr KindSpec kCountKinds[] = {
    {"last-epoch", "last steps expected"}, {"negative", "last steps"}, {"wrong-type", "found"}};
constexpr KindSpec kEndKinds[] = {
    {"exhausted", "last end"},   {"complete", "last end"},        {"no-period", ""},
    {"past-period", "last end"}, {"past-iterations", "last end"},
};
constexpr KindSpec kPaceKinds[] = {{"step-count", "last lowest highest steps"}};

// --- the own count ---------------------------------------------------------------------------------------

// LRScheduler.step() adds one to both counters, which start at -1 and 0. Except where step(epoch) is the
// usual call (CosineAnnealingWarmRestarts) and where a scheduler continues another one (SWALR).
bool counts_alone(const Tree& tree, NodeId scheduler) {
  constexpr std::string_view kOther[] = {"T_cur", "anneal_epochs"};
  return std::none_of(std::begin(kOther), std::end(kOther),
                      [&](auto key) { return member(tree, scheduler, key) != kNoNode; });
}

// A scheduler of torch.optim, judging by what it keeps. Custom classes may count differently.
bool is_torch(const Tree& tree, NodeId scheduler) {
  constexpr std::string_view kOwn[] = {"gamma", "lr_lambdas", "total_iters", "T_max", "total_steps"};
  return std::any_of(std::begin(kOwn), std::end(kOwn),
                     [&](auto key) { return member(tree, scheduler, key) != kNoNode; });
}

struct Miscount {
  double last = 0, steps = 0;
};

// scheduler.step(epoch) in lr_scheduler_step leaves the last trained epoch, or the next one. But not if the
// rate is the one of the steps: then last_epoch was changed later.
bool is_epoch(const Context& context, const Scalars& scalars, const Scheduler& at, double last,
              double steps) {
  const auto epochs = context.training().progress.done;
  if (!epochs || last < epochs->low - 1 || last > epochs->high) return false;
  const auto by_steps = compare_rates(context, scalars, at, steps - 1);
  const auto by_last = compare_rates(context, scalars, at, last);
  return !by_steps || !by_last || !by_steps->fits || by_last->fits;
}

// SequentialLR restarts the schedulers inside it, and takes back steps of those that are not active yet.
std::optional<Miscount> miscount_of(const Context& context, const Scalars& scalars, const Scheduler& at) {
  const Tree& tree = context.file().tree;
  const auto last = number(tree, at.node, keys::kLastEpoch), steps = number(tree, at.node, keys::kStepCount);
  if (at.inner || !is_torch(tree, at.node)) return std::nullopt;
  if (!last || !steps || !std::isfinite(*last) || !std::isfinite(*steps)) return std::nullopt;
  const bool negative = *last < 0 && *steps > 0;
  const bool differs =
      counts_alone(tree, at.node) && *last + 1 != *steps && !is_epoch(context, scalars, at, *last, *steps);
  return negative || differs ? std::optional(Miscount{*last, *steps}) : std::nullopt;
}

// The next step adds 1 to it.
std::optional<Hit> wrong_type(const Tree& tree, const Scheduler& at) {
  const NodeId last = at.last_epoch;
  const bool wrong = is_kind(tree, last, Kind::kString) || is_kind(tree, last, Kind::kNone) ||
                     is_sequence(tree, last) || is_mapping(tree, last);
  if (!wrong || !is_torch(tree, at.node)) return std::nullopt;
  Hit hit = make_hit(key_path(at.path, keys::kLastEpoch), "wrong-type");
  hit.fields = {{"found", show(tree, last)}};
  return hit;
}

void run_count(const Context& context, const Rule& rule, const Emit& emit) {
  const Scalars scalars(context, rule);
  for (const auto& scheduler : schedulers_of(context)) {
    if (auto hit = wrong_type(context.file().tree, scheduler)) emit(std::move(*hit));
    const auto miscount = miscount_of(context, scalars, scheduler);
    if (!miscount) continue;
    Hit hit =
        make_hit(key_path(scheduler.path, keys::kLastEpoch), miscount->last < 0 ? "negative" : "last-epoch");
    hit.fields = {{"last", fmt::format("{:.0f}", miscount->last)},
                  {"steps", fmt::format("{:.0f}", miscount->steps)},
                  {"expected", fmt::format("{:.0f}", miscount->steps - 1)}};
    hit.properties = {{"lastEpoch", miscount->last}, {"stepCount", miscount->steps}};
    emit(std::move(hit));
  }
}

// --- the end ---------------------------------------------------------------------------------------------

struct End {
  std::string_view kind;
  std::string_view key;   // of the scheduler's state
  std::string_view last;  // the key of the last step
};

// torch/optim/lr_scheduler.py. LinearLR and ConstantLR pass total_iters by design (warm-ups).
constexpr std::string_view kTotalSteps = "total_steps", kPeriod = "T_max", kTotalIters = "total_iters";

std::optional<End> end_of(const Tree& tree, NodeId scheduler, double last) {
  const auto total = number(tree, scheduler, kTotalSteps);
  if (total && last > *total) return End{"exhausted", keys::kLastEpoch, kTotalSteps};
  if (total && last == *total) return End{"complete", keys::kLastEpoch, kTotalSteps};
  const auto period = number(tree, scheduler, kPeriod);
  if (period && *period == 0) return End{"no-period", kPeriod, kPeriod};
  if (period && last > *period) return End{"past-period", keys::kLastEpoch, kPeriod};
  const auto iters = number(tree, scheduler, kTotalIters);
  const bool polynomial = member(tree, scheduler, "power") != kNoNode;
  if (polynomial && iters && last > *iters) return End{"past-iterations", keys::kLastEpoch, kTotalIters};
  return std::nullopt;
}

void run_end(const Context& context, const Rule&, const Emit& emit) {
  const Tree& tree = context.file().tree;
  for (const auto& scheduler : schedulers_of(context)) {
    const auto last = number(tree, scheduler.node, keys::kLastEpoch);
    const auto end = last ? end_of(tree, scheduler.node, *last) : std::nullopt;
    if (!end) continue;
    Hit hit = make_hit(key_path(scheduler.path, end->key), end->kind);
    hit.fields = {{"last", fmt::format("{:.0f}", *last)},
                  {"end", fmt::format("{:.0f}", number(tree, scheduler.node, end->last).value_or(0.0))}};
    emit(std::move(hit));
  }
}

// --- the pace --------------------------------------------------------------------------------------------

bool near(double a, double b) { return std::abs(a - b) <= 1; }

// What a scheduler may have counted: epochs, batches or optimizer steps; off by one in mid-epoch.
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
    // global_step counts all optimizers, a scheduler steps with one of them.
    const auto optimizers = context.training().optimizers.size();
    if (optimizers > 1) pace.steps.push_back(*step / static_cast<double>(optimizers));
  }
  if (const auto stepped =
          number_of(tree, member(tree, progress.epoch_loop_state, keys::kBatchesThatStepped)))
    pace.steps.push_back(*stepped);
  return pace;
}

void run_pace(const Context& context, const Rule&, const Emit& emit) {
  const Tree& tree = context.file().tree;
  if (!context.training().progress.of_trainer) return;  // what others count is not known
  const Pace pace = pace_of(context);
  if (!pace.epochs || pace.steps.empty()) return;
  for (const auto& scheduler : schedulers_of(context)) {
    const auto last = number(tree, scheduler.node, keys::kLastEpoch);
    // Schedulers inside a composite count from their own start.
    if (!last || scheduler.inner || pace.explains(*last)) continue;
    Hit hit = make_hit(key_path(scheduler.path, keys::kLastEpoch), "step-count");
    hit.fields = {{"last", fmt::format("{:.0f}", *last)},
                  {"lowest", fmt::format("{:.0f}", pace.epochs->low)},
                  {"highest", fmt::format("{:.0f}", pace.epochs->high)},
                  {"steps", fmt::format("{:.0f}", pace.steps.front())}};
    hit.properties = {{"lastEpoch", *last}, {"globalStep", pace.steps.front()}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kSchedulerCount{.name = "scheduler-count",
                            .help = "schedulers whose last_epoch contradicts their own step count",
                            .needs = kNothing,
                            .params = {},
                            .run = run_count,
                            .kinds = kCountKinds};

const Check kSchedulerEnd{.name = "scheduler-end",
                          .help = "schedulers at or beyond their last step",
                          .needs = kNothing,
                          .params = {},
                          .run = run_end,
                          .kinds = kEndKinds};

const Check kSchedulerPace{.name = "scheduler-pace",
                           .help = "schedulers that stepped neither once per epoch nor once per step",
                           .needs = kNothing,
                           .params = {},
                           .run = run_pace,
                           .kinds = kPaceKinds};

}  // namespace ckpt::lint
