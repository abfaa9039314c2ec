// Infinities that are right: masks, initial values of a minimum or a maximum, logarithms of 0. Names alone
// cannot tell (every project has its own), so values and the optimizer are asked as well.
#pragma once

#include <string_view>

#include "lint/checks/weights/trained_weights.h"
#include "tensor/stats.h"

namespace ckpt::lint {

enum class Infinities { kRight, kNoted, kDoubtful, kWrong };

struct InfiniteTensor {
  std::string_view name;  // of a weight, or a path
  const tensor::Stats& stats;
  // Of the optimizers: all tensors of this shape are trained; there are moments, and none is of this shape.
  bool trained = false, untrained = false;
};

Infinities judge_infinities(const InfiniteTensor& tensor);

}  // namespace ckpt::lint
