// The lines of Python that let torch.load(weights_only=True) read a file. People paste them: they must work,
// and must allow nothing but classes and known rebuild functions.
#pragma once

#include <span>
#include <string>

#include "checkpoint/checkpoint.h"
#include "value/tree.h"

namespace ckpt::lint {

struct Advice {
  std::string imports;  // from torch.optim.adam import Adam; from numpy import dtype
  std::string objects;  // Adam, dtype, type(dtype("f8"))
};

// For names that is_python_name accepts.
Advice advice_for(std::span<const pickle::Import> names, const value::Tree& tree);

// "a.b.C" and nothing else: "x]); evil(" is no name.
bool is_python_name(std::string_view text);

}  // namespace ckpt::lint
