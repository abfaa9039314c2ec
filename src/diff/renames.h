// Weights that were renamed beyond a prefix: found by what is in them. A name is matched because the bytes
// are the same, because its siblings moved the same way, or because the values are all but parallel; never by
// its looks.
#pragma once

#include <vector>

#include "diff/names.h"

namespace ckpt::diff {

// Gives places of `side` the keys of the base's weights that they are. Reads the unmatched tensors of both
// files; throws what reading them throws. The result is in the order of the base.
std::vector<Rename> match_contents(const Side& base, Side& side, std::size_t jobs);

}  // namespace ckpt::diff
