// The scores of the checkpoints that ModelCheckpoint keeps (callbacks/model_checkpoint.py, best_k_models), by
// when they were written, which only their names say.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "training/state.h"

namespace ckpt::training {

struct KeptScores {
  std::string monitor;                            // "val_loss"; may be empty
  std::string_view by;                            // "step" or "epoch": what every name has
  std::vector<std::pair<double, double>> scores;  // step or epoch, score; ascending, each step once
};

// Of the first callback whose names all say when. Throws Error where reading the file fails.
std::optional<KeptScores> read_kept_scores(const Checkpoint& file, const State& state);

}  // namespace ckpt::training
