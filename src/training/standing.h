// Where a run stands in this file: its learning rates, and the scores that its callbacks watch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "training/state.h"

namespace ckpt::training {

struct GroupRate {
  std::size_t optimizer = 0;  // index into State::optimizers
  std::size_t group = 0;
  double lr = 0;
};
// `lr` of every group of every optimizer, where it is a number or a tensor of one. Throws Error where reading
// the file fails.
std::vector<GroupRate> learning_rates(const Checkpoint& file, const std::vector<Optimizer>& optimizers);

// What the file's schedulers may do to learning rates.
enum class RateRule : std::uint8_t {
  kNone,     // there is no scheduler
  kFalling,  // none of them ever raises a rate: StepLR, ExponentialLR, cosine annealing within its period ...
  kFree,     // warm-up, cycles, restarts, a function of the user, or a type that is not known
};
RateRule rate_rule(const value::Tree& tree, const State& state);

struct Score {
  std::string monitor;     // "val_loss"; empty if the callback does not say
  std::string mode;        // "min", "max", or "" if the file does not say
  std::string path;        // callbacks["ModelCheckpoint{...}"].current_score
  double value = 0;        // may be NaN or infinite
  bool best_only = false;  // the best one so far: the callback has no score of its own time
};
// Of every callback that keeps the scores of checkpoints (ModelCheckpoint and what derives from it:
// callbacks/model_checkpoint.py, state_dict), in document order. `current_score` is written since 1.1.
std::vector<Score> monitored_scores(const Checkpoint& file, const std::vector<Callback>& callbacks);

}  // namespace ckpt::training
