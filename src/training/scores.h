// What a run is judged by: the monitored scores that ModelCheckpoint keeps (callbacks/model_checkpoint.py,
// state_dict).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "training/state.h"

namespace ckpt::training {

struct Score {
  std::string monitor;  // "val_loss"; "" where the callback monitors nothing
  std::optional<double> current, best;
  std::string best_path;  // as the callback has it; may be empty
};

// One for each callback that has a best score, in document order. Throws Error where reading the file fails.
std::vector<Score> read_scores(const Checkpoint& file, const State& state);

// The learning rates of all optimizers' groups, in order: what the next step would use. Groups without a
// plain number are left out.
std::vector<double> learning_rates(const Checkpoint& file, const State& state);

}  // namespace ckpt::training
