// Numbers that are tensors of one element: Adam's step, a best score, a learning rate.
#pragma once

#include <optional>

#include "checkpoint/checkpoint.h"
#include "value/tree.h"

namespace ckpt::training {

// The value of a plain number or of a one-element tensor; nullopt for everything else, and where the tensor
// cannot be read. NaN is NaN. Throws Error where reading the file fails.
std::optional<double> scalar_value(const Checkpoint& checkpoint, value::NodeId node);

}  // namespace ckpt::training
