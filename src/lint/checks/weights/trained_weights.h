// What the optimizers' moments reveal about weights. A file does not map the ids of an optimizer to names,
// but in torch.optim a moment has the shape and the dtype of its parameter: if as many parameters have
// moments of a shape as there are weights of it, all of these weights are trained.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "lint/checks/common.h"

namespace ckpt::lint {

using Shape = std::vector<std::int64_t>;

class Moments {
 public:
  // Reads exp_avg, momentum_buffer, square_avg ... of each parameter from the Trainer's optimizer states.
  explicit Moments(const Context& context);

  bool any() const { return !by_shape_.empty(); }
  // Number of parameters with a moment of this shape, by the dtype of the moment.
  const std::map<tensor::DType, std::uint64_t>& of(const Shape& shape) const;
  std::uint64_t parameters(const Shape& shape) const;

 private:
  std::map<Shape, std::map<tensor::DType, std::uint64_t>> by_shape_;
};

// The tensors of the state_dict by shape, in document order.
struct ShapedWeight {
  std::size_t position = 0;  // in the state_dict
  std::string_view name;
  std::string path;
  const TensorRecord* record = nullptr;
};
std::map<Shape, std::vector<ShapedWeight>> weights_by_shape(const Context& context);

}  // namespace ckpt::lint
