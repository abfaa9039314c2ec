// The plain values of a checkpoint: every leaf of the tree that is not a tensor, with its path.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace ckpt {

struct Leaf {
  std::string path;
  value::NodeId node = value::kNoNode;
  bool repeat = false;  // an object listed before, or a container inside itself: not listed again
  std::string first{};  // of a repeat: the path where it was listed
};

// Scalars, empty containers, globals, and objects that hold only scalars in their arguments (a date, a
// Decimal), in document order. Stops silently at the limits (opening has reported them).
std::vector<Leaf> collect_leaves(const Checkpoint& checkpoint, const Limits& limits = {});

// The text of a leaf as people and JSON see it, and its Python type.
std::string leaf_repr(const Checkpoint& checkpoint, const Leaf& leaf, std::size_t limit = 256);
std::string leaf_type(const Checkpoint& checkpoint, const Leaf& leaf);

// A leaf as data: None and repeats are monostate; integers beyond 64 bits are text; other values are their
// repr, bounded.
using PlainValue = std::variant<std::monostate, bool, std::int64_t, double, std::string>;
PlainValue plain_value(const value::Tree& tree, const Leaf& leaf);

// Fills out.entries by walking the tree once. Throws Error{kLimit}; the entries found so far stay.
void collect_entries(Checkpoint& out, const Limits& limits);

}  // namespace ckpt
