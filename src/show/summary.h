// The eleven items of a Lightning checkpoint as small facts: what people look for first. Data, no text
// layout. Everything is optional: an item of the wrong type is left out here (the rules report it).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "training/opened.h"
#include "value/tree.h"

namespace ckpt::show {

// Tensors of one section or one dtype. `bytes` counts distinct storages once.
struct Amount {
  std::uint64_t tensors = 0;
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
};

struct OptimizerSummary {
  std::string type;  // "Adam or AdamW", "SGD", ... inferred from state and group keys
  std::size_t groups = 0;
  std::size_t parameters = 0;  // ids in the groups
  std::size_t states = 0;      // parameters that have state
  std::optional<double> step;  // of the first state that has one and can be read
  value::NodeId param_groups = value::kNoNode;
};

struct SchedulerSummary {
  std::string type;  // "StepLR", ... inferred from the field names
  std::optional<std::int64_t> last_epoch;
  std::vector<double> last_lr;
};

struct CallbackSummary {
  std::string key;   // as people read it: "ModelCheckpoint{'monitor': 'val_loss', ...}"
  std::string name;  // "ModelCheckpoint"
  value::NodeId state = value::kNoNode;
};

struct Summary {
  std::map<training::Section, Amount> by_section;
  std::map<std::string, Amount> by_dtype;  // of the weights
  Amount all;
  std::size_t storages = 0;
  std::optional<std::int64_t> epoch, global_step;
  std::vector<OptimizerSummary> optimizers;
  std::vector<SchedulerSummary> schedulers;
  std::vector<CallbackSummary> callbacks;
};

Summary summarize(const Opened& input);

// "Lightning 2.6.5 · epoch 4 · step 3200 · 1.2 GiB": what every program prints next to a file name.
std::string describe(const Opened& input);

// The value of a 0-dim or one-element tensor, or of a plain number (Adam's step, a best score).
std::optional<double> scalar_value(const Checkpoint& checkpoint, value::NodeId node);

}  // namespace ckpt::show
