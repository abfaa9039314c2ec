// State tensors of optimizers that have their parameter's shape.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "lint/checks/training.h"
#include "tensor/tensor_view.h"

namespace ckpt::lint {

struct Moment {
  std::string_view name;
  const tensor::TensorView* view = nullptr;
};
struct ParameterMoments {
  NodeId id = kNoNode;
  std::vector<Moment> moments;  // never empty
};
// In the order of `state`. Empty if an optimizer keeps anything unknown: a projection or a block size changes
// the meaning of every other shape (LBFGS; Adafactor's factors; GaLore). Leaves out second moments that are
// smaller than their parameter throughout (one number each in NovoGrad, one per row in Adam-mini).
std::vector<ParameterMoments> comparable_moments(const Checkpoint& file, const Optimizer& optimizer);

}  // namespace ckpt::lint
