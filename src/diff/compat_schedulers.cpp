#include "diff/compat_schedulers.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "training/keys.h"
#include "training/scheduler_loading.h"
#include "training/types.h"
#include "value/access.h"

namespace ckpt::diff {
namespace {

namespace keys = training::keys;
using training::LoadingOutcome;
using training::SavedScheduler;
using value::kNoNode;

constexpr std::string_view kFit = "Trainer.fit(ckpt_path=...)";

std::string describe(const training::SchedulerLoading& loading, const std::string& types) {
  switch (loading.outcome) {
    case LoadingOutcome::kFits: return {};
    case LoadingOutcome::kRaises: return fmt::format("{}{} raises {}", types, kFit, loading.text);
    case LoadingOutcome::kRaisesLater:
      return fmt::format("{}{} silently loads it, and the scheduler's next step raises {}", types, kFit,
                         loading.text);
    case LoadingOutcome::kWrong: return fmt::format("{}{} silently loads it: {}", types, kFit, loading.text);
  }
  return {};
}

SavedScheduler saved(const Side& side, value::NodeId state) {
  return {side.file().tree, state, side.items().optimizer_states};
}

// The callback replaces the scheduler while it averages, and restores its own from its own state
// (lightning/pytorch/callbacks/stochastic_weight_avg.py).
bool is_of_averaging(const Side& side, value::NodeId scheduler) {
  const value::Tree& tree = side.file().tree;
  return training::scheduler_type(tree, scheduler) == "SWALR" &&
         value::member(tree, side.items().callbacks, "StochasticWeightAveraging") != kNoNode;
}

}  // namespace

std::vector<Obstacle> judge_schedulers(const Diff& diff, std::size_t input) {
  const Side& base = diff.sides[0];
  const Side& other = diff.sides[input];
  if (other.items().lr_schedulers == kNoNode)
    return {{"compat-scheduler-missing", keys::kLrSchedulers,
             fmt::format("{} raises KeyError: no schedulers were saved", kFit)}};
  const auto mine = value::sequence(base.file().tree, base.items().lr_schedulers);
  const auto theirs = value::sequence(other.file().tree, other.items().lr_schedulers);
  std::vector<Obstacle> out;
  if (mine.size() > theirs.size() && !is_of_averaging(base, mine[theirs.size()]))
    out.push_back({"compat-scheduler-missing", keys::kLrSchedulers,
                   fmt::format("{} silently restarts a scheduler", kFit)});
  if (mine.size() < theirs.size() && base.items().lr_schedulers != kNoNode &&
      !is_of_averaging(other, theirs[mine.size()]))
    out.push_back({"compat-scheduler-unexpected", value::index_path(keys::kLrSchedulers, mine.size()),
                   fmt::format("{} silently ignores the state of {}: the learning rate stays as it is", kFit,
                               training::scheduler_type(other.file().tree, theirs[mine.size()]))});
  for (std::size_t i = 0; i < std::min(mine.size(), theirs.size()); ++i) {
    if (is_of_averaging(base, mine[i]) || is_of_averaging(other, theirs[i])) continue;
    const std::string a = training::scheduler_type(base.file().tree, mine[i]),
                      b = training::scheduler_type(other.file().tree, theirs[i]);
    const auto loading = training::load_scheduler(saved(base, mine[i]), saved(other, theirs[i]));
    if (loading.outcome == LoadingOutcome::kFits) continue;
    const std::string types =
        training::may_be_same_type(a, b) ? "" : fmt::format("state of {}, not of {}: ", b, a);
    out.push_back(
        {"compat-scheduler-type", value::index_path(keys::kLrSchedulers, i), describe(loading, types)});
  }
  return out;
}

}  // namespace ckpt::diff
