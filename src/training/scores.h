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
  std::string mode;     // "min", "max"; "" if the callback's key does not say: before 1.5 it is a class
  std::optional<double> current, best;

  // That of the checkpoint's own time; before 1.1 only the best one was kept.
  std::optional<double> value() const { return current ? current : best; }
  std::string best_path;  // as the callback has it; may be empty
};

// One for each callback that has a best score, in document order. Throws Error where reading the file fails.
std::vector<Score> read_scores(const Checkpoint& file, const State& state);

}  // namespace ckpt::training
