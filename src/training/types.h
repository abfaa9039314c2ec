// Which class of torch.optim an optimizer's or a scheduler's state comes from: the file does not say, but the
// names of its fields do.
#pragma once

#include <string>
#include <string_view>

#include "value/tree.h"

namespace ckpt::training {

// Of an entry of optimizer_states: "AdamW", "Adam or AdamW" if the fields allow both, "SGD" ...,
// "optimizer of unknown type". Source: torch/optim/*.py and the libraries that people use.
std::string optimizer_type(const value::Tree& tree, value::NodeId optimizer);

// Of an entry of lr_schedulers: "StepLR", ..., "scheduler of unknown type". Source:
// torch/optim/lr_scheduler.py; state_dict is __dict__ without the optimizer.
std::string scheduler_type(const value::Tree& tree, value::NodeId scheduler);

// True unless both types are known and none of what one may be is what the other may be: "Adam or AdamW" and
// "Adam" may be the same, "AdamW" and "SGD" may not.
bool may_be_same_type(std::string_view a, std::string_view b);

}  // namespace ckpt::training
