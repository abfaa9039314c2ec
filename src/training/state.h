// The training state of a file as plain structs: read once, when the file is opened. Ids and views point into
// the checkpoint's tree, which must not change any more. Everything may be missing; nothing is judged here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "training/callbacks.h"
#include "training/items.h"
#include "training/optimizers.h"
#include "training/precision.h"
#include "training/progress.h"
#include "training/schedulers.h"

namespace ckpt::training {

// Hyperparameters under the key that the file has: "hyper_parameters", or an older name.
struct HyperParameters {
  std::string path;
  NodeId node = kNoNode;
};

// The state of a gradient scaler.
struct Scaler {
  std::string path;
  NodeId node = kNoNode;
};

struct State {
  Progress progress;
  std::vector<Optimizer> optimizers;
  std::vector<Scheduler> schedulers;  // see read_schedulers
  std::vector<Callback> callbacks;
  std::vector<Scaler> scalers;
  std::vector<HyperParameters> hyper_parameters;  // the model's and the datamodule's, in document order
};

State read_state(const Checkpoint& file, const Items& items);

// A Trainer file that has no training state at all: save_weights_only=True.
bool is_weights_only(const Items& items);

}  // namespace ckpt::training
