// What torch makes of the state of the other file's optimizer in the optimizer of the base's code. Loading
// goes by position: the first parameter gets the first state, whatever its name. Private to diff/.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "diff/diff.h"

namespace ckpt::diff {

// Something that breaks resuming; the message names the call.
struct Obstacle {
  std::string rule;
  std::string path;
  std::string message;
};

// Optimizer `index` of sides 0 and `input`, which both have it.
std::vector<Obstacle> judge_optimizer(const Diff& diff, std::size_t input, std::size_t index);

}  // namespace ckpt::diff
