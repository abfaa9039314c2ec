// What the other file's training state holds that the base's code loads silently, or cannot load: NaN
// and infinities, and the state of averaged weights. Private to diff/.
#pragma once

#include <cstdint>
#include <vector>

#include "diff/compat_optimizers.h"
#include "diff/diff.h"

namespace ckpt::diff {

// NaN and infinities that the base does not have, in what training goes on with: optimizers, schedulers, the
// gradient scaler, averages. An obstacle for each place.
std::vector<Obstacle> judge_numbers(const Diff& diff, std::uint32_t input);

// The live weights and the average of a file whose weights are averaged, as is the base.
std::vector<Obstacle> judge_averaging(const Diff& diff, std::uint32_t input);

}  // namespace ckpt::diff
