// A plain value of a checkpoint as a value of a report: its JSON form in ckpt-show and ckpt-diff.
#pragma once

#include "checkpoint/leaves.h"
#include "report/property.h"
#include "tensor/stats.h"

namespace ckpt::show {

// None -> null; bool, int, float, str as themselves (integers beyond 64 bits as text);
// everything else by its repr.
report::Value leaf_value(const value::Tree& tree, const Leaf& leaf);
inline report::Value leaf_value(const Checkpoint& checkpoint, const Leaf& leaf) {
  return leaf_value(checkpoint.tree, leaf);
}

report::Value number_value(const tensor::Number& number);
report::Value shape_value(std::span<const std::int64_t> shape);

}  // namespace ckpt::show
