// The weights of a series of checkpoints: aligned, and followed from one to the next. Private to diff/.
#pragma once

#include "diff/trajectory.h"

namespace ckpt::diff {

// Fills the norms and movements of `out.points`, which are there already, one an input; `out.modules` and
// `out.not_compared`. See follow().
void follow_weights(std::span<const Opened* const> inputs, const Options& options, Trajectory& out);

}  // namespace ckpt::diff
