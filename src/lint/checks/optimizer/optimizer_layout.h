// What the optimizers of torch.optim need and keep. No file names the class of an optimizer; its settings
// tell.
#pragma once

#include <array>
#include <string_view>

#include "lint/checks/common.h"

namespace ckpt::lint {

// Unused places of the arrays are empty.
struct TorchLayout {
  std::string_view name;                    // "Adam or AdamW"
  std::array<std::string_view, 2> marks;    // settings that only this class has
  std::array<std::string_view, 5> numbers;  // settings that step() computes with
  bool betas = false;                       // has a pair of betas
  std::array<std::string_view, 3> state;    // of a parameter that was stepped; step() raises KeyError without
  std::array<std::string_view, 2> others = {};  // more settings that tell classes apart, of some versions
};
// Of an entry of param_groups; null for classes of other libraries. Some share marks with torch's classes
// ("amsgrad") and then the settings, too; but their `state` may differ (see is_torch).
const TorchLayout* torch_layout(const Tree& tree, NodeId group);
// True for groups of torch's own classes since 1.12, whose `state` follows the layout.
bool is_torch(const Tree& tree, NodeId group);

// True if a step certainly leaves state: torch's classes (except SGD without momentum), and everything with
// betas, which are decays of moments.
bool keeps_state(const Tree& tree, NodeId group);
// SGD without momentum keeps nothing.
bool is_plain_sgd(const Tree& tree, NodeId group);

}  // namespace ckpt::lint
