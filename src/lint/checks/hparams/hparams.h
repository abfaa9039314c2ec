// Classes of the values among the hyperparameters.
#pragma once

#include <string>
#include <string_view>

#include "value/tree.h"

namespace ckpt::lint {

// "pathlib.PosixPath": the class of an instance, the function whose call made the value, or the name itself
// if the value is a class or function. "" for plain values.
std::string class_of(const value::Tree& tree, value::NodeId id);

// "nn.Module" or "optimizer" for instances of these, whatever their class: recognized by their state
// (torch/nn/modules/module.py, torch/optim/optimizer.py). "" for everything else.
std::string_view model_part(const value::Tree& tree, value::NodeId id);

}  // namespace ckpt::lint
