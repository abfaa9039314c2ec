// Finds how differences came about: a cast, a transposition, permuted rows, a factor, a resized table, a
// merged low-rank update. Every cause holds for all elements (tensor/explain.h verifies it). Private to
// diff/.
#pragma once

#include "diff/diff.h"

namespace ckpt::diff {

// Adds causes to the changes of tensors, which must be there with their deltas. Reads only what it needs to
// verify; changes made by training are recognised by their norms, which costs nothing.
void explain_changes(Diff& diff, std::size_t jobs);

}  // namespace ckpt::diff
