// How differences came about: a cast, a transposition, permuted rows, a factor, a resized table, a merged
// low-rank update. What is claimed holds for every element (tensor/explain.h verifies it). Private to diff/.
#pragma once

#include "diff/diff.h"

namespace ckpt::diff {

// Adds causes to the changes of tensors, which must be there with their deltas. Reads what it must to verify;
// what training changed is recognised by its norms and costs nothing.
void explain_changes(Diff& diff, std::size_t jobs);

}  // namespace ckpt::diff
