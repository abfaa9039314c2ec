// NaN and infinity in the state of a scheduler, which spread to the learning rates that it computes.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

// "-best": of ReduceLROnPlateau; "-other": in fields that torch does not read.
constexpr KindSpec kKinds[] = {
    {"nan", ""},       {"infinite", "value"},      {"nan-best", ""},
    {"nan-other", ""}, {"infinite-best", "value"}, {"infinite-other", "value"},
};
constexpr std::size_t kElements = 1000;  // of one list; no optimizer has more groups

// What torch/optim/lr_scheduler.py computes learning rates from, or writes into the optimizer. Other fields
// belong to custom classes, where NaN or infinity may have a meaning.
constexpr std::string_view kRates[] = {
    keys::kBaseLrs,   keys::kLastLr,    "min_lrs",       "max_lrs",      "swa_lrs",    "base_momentums",
    "max_momentums",  "gamma",          "factor",        "start_factor", "end_factor", "power",
    "eta_min",        "T_max",          "T_0",           "T_cur",        "T_i",        "T_mult",
    "total_iters",    "step_size",      "total_steps",   "total_size",   "step_ratio", "anneal_epochs",
    keys::kLastEpoch, keys::kStepCount, "default_min_lr"};

bool is_rate(std::string_view key) {
  return std::find(std::begin(kRates), std::end(kRates), key) != std::end(kRates);
}

// ReduceLROnPlateau starts with the infinity that every metric beats; no metric beats the other one.
bool is_wrong_best(const Tree& tree, NodeId scheduler, std::string_view key, double value) {
  const auto mode = string_of(tree, member(tree, scheduler, "mode"));
  if (key != "best" || !std::isinf(value) || !mode) return false;
  return (*mode == "min" && value < 0) || (*mode == "max" && value > 0);
}

struct Judge {
  const Tree& tree;
  const Scalars& scalars;
  const Emit& emit;

  bool value(const Scheduler& at, std::string_view key, NodeId node, const std::string& path) const {
    const auto number = scalars.value(node, path);
    if (!number || std::isfinite(*number)) return false;
    const bool rate = is_rate(key), nan = std::isnan(*number);
    const bool best = key == "best" && member(tree, at.node, "num_bad_epochs") != kNoNode;
    if (!nan && !rate && !is_wrong_best(tree, at.node, key, *number)) return false;
    Hit hit = make_hit(path, (nan ? "nan" : "infinite") + std::string(rate ? "" : best ? "-best" : "-other"));
    if (!nan) hit.fields = {{"value", format_double(*number)}};
    hit.properties = {{"value", *number}};
    emit(std::move(hit));
    return true;
  }

  // One finding per field: a list of rates has one cause.
  void scheduler(const Scheduler& at) const {
    for (const auto& item : mapping_items(tree, at.node)) {
      const auto key = string_of(tree, item.key);
      if (!key) continue;
      const auto path = key_path(at.path, *key);
      const auto elements = sequence(tree, item.value);
      bool said = value(at, *key, item.value, path);
      for (std::size_t i = 0; i < elements.size() && i < kElements && !said; ++i)
        said = value(at, *key, elements[i], index_path(path, i));
    }
  }
};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Scalars scalars(context, rule);
  const Judge judge{context.file().tree, scalars, emit};
  const auto schedulers = schedulers_of(context);
  for (std::size_t i = 0; i < schedulers.size() && i < kElements; ++i) judge.scheduler(schedulers[i]);
}

}  // namespace

const Check kSchedulerNumbers{.name = "scheduler-numbers",
                              .help = "numbers of schedulers that are NaN or infinite",
                              .needs = kStats,
                              .params = {},
                              .run = run,
                              .kinds = kKinds};

}  // namespace ckpt::lint
