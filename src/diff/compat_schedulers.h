// What torch makes of the state of the other file's schedulers in those of the base's code. Private to diff/.
#pragma once

#include <cstddef>
#include <vector>

#include "diff/compat_optimizers.h"

namespace ckpt::diff {

std::vector<Obstacle> judge_schedulers(const Diff& diff, std::size_t input);

}  // namespace ckpt::diff
