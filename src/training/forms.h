// What a value of a checkpoint is by its form alone, under any key and in any nesting: how training state is
// found in files that no Trainer wrote.
//
//   form        what it looks like                                                  who writes it
//   state_dict  a mapping, mostly from names to tensors, that shows itself to be a  nn.Module.state_dict, and
//               module's: torch's _metadata, Parameters, names like "0.weight", or  copies of it
//               the key that it stands under (state_dict, model, net, params ...)
//   module      an object with _parameters, _buffers and _modules                   torch.save(model)
//   optimizer   `state` and `param_groups` optim.Optimizer.state_dict scheduler   `last_epoch` beside
//   _step_count, base_lrs or _last_lr               LRScheduler.state_dict scaler      `scale`,
//   `growth_factor` ... (precision.h)                          amp.GradScaler.state_dict
//
// What was found is not searched again: moments are a part of their optimizer, not a model. A mapping of
// tensors that shows nothing of a module (random states, a replay buffer, a batch, hyperparameters) is none
// of these; neither are gradients, masks and moments under the names of the weights, which are told by their
// key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace ckpt::training {

enum class Form : std::uint8_t { kStateDict, kModule, kOptimizer, kScheduler, kScaler };

// A state_dict, or a module that holds one.
constexpr bool is_model(Form form) { return form == Form::kStateDict || form == Form::kModule; }

struct Found {
  Form form = Form::kStateDict;
  std::string path;
  value::NodeId node = value::kNoNode;
};

// Everything that has a form, in document order. One walk, within the limits that opening the file keeps.
std::vector<Found> find_forms(const Checkpoint& checkpoint);

// The dict of a pickled module's attributes; kNoNode for everything else.
value::NodeId module_attributes(const value::Tree& tree, value::NodeId node);

}  // namespace ckpt::training
