// value::repr with full texts, for keys in paths: different keys must not look the same there.
// Private to value.
#pragma once

#include <cstddef>
#include <string>

#include "value/tree.h"

namespace ckpt::value {

inline constexpr std::size_t kLongestKey = 16384;  // longer keys are abbreviated in paths

// Like repr(), but texts are abbreviated beyond `limit` only; of containers, what begins beyond it is, too.
std::string exact_repr(const Tree& tree, NodeId id, std::size_t limit);

}  // namespace ckpt::value
