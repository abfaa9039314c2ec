// Weights that were renamed beyond a prefix: found by content. A name is matched because the bytes
// are identical, because its siblings moved the same way, or because the values are nearly parallel; never by
// similar spelling.
#pragma once

#include <vector>

#include "diff/names.h"

namespace ckpt::diff {

// Gives places of `side` the keys of the matching weights in the base. Reads the unmatched tensors of both
// files, and throws if that fails. The result is in the order of the base.
std::vector<Rename> match_contents(const Side& base, Side& side, std::size_t jobs);

}  // namespace ckpt::diff
