// The hyperparameters of a checkpoint as values: what their classes are.
#pragma once

#include <string>
#include <string_view>

#include "value/tree.h"

namespace ckpt::lint {

// "pathlib.PosixPath": the class of an instance, the function that was called for a value, or the name itself
// where a class or function is the value. "" for plain values.
std::string class_of(const value::Tree& tree, value::NodeId id);

// "nn.Module" or "optimizer" for instances of these, whatever their class, by what torch keeps in their state
// (torch/nn/modules/module.py, torch/optim/optimizer.py); "" for everything else.
std::string_view model_part(const value::Tree& tree, value::NodeId id);

}  // namespace ckpt::lint
