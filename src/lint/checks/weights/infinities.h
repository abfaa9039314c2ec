// Infinities that are right: masks, initial values of a minimum or a maximum, logarithms of 0. Every project
// has its own names, so values and the optimizer count as well.
#pragma once

#include <string_view>

#include "lint/checks/weights/trained_weights.h"
#include "tensor/stats.h"

namespace ckpt::lint {

enum class Infinities { kRight, kNoted, kDoubtful, kWrong };

struct InfiniteTensor {
  std::string_view name;  // the weight's name, or a path
  const tensor::Stats& stats;
  // trained: the optimizers have moments for all weights of this shape. untrained: they have moments, but
  // none of this shape.
  bool trained = false, untrained = false;
};

Infinities judge_infinities(const InfiniteTensor& tensor);

}  // namespace ckpt::lint
