#include <algorithm>

#include "tensor/explain_parts.h"
#include "tensor/float_codes.h"

namespace ckpt::tensor {
bool has_ulp_distance(DType old_dtype, DType new_dtype) {
  return old_dtype == new_dtype && is_floating(old_dtype);
}

std::uint64_t max_ulp_distance(const TensorRef& old_tensor, const TensorRef& new_tensor) {
  const DType dtype = old_tensor.view->dtype;
  if (!has_ulp_distance(dtype, new_tensor.view->dtype)) return 0;
  const FloatCodes codes = float_codes(real_dtype(dtype));
  const std::size_t block = block_elements(Tuning{}, unpacked_size(dtype));
  std::uint64_t most = 0;
  visit_pairs(old_tensor, new_tensor, block, [&](auto old_elements, auto new_elements, std::size_t) {
    most = std::max(most, code_distance(old_elements, new_elements, codes).most);
    return true;
  });
  return most;
}

}  // namespace ckpt::tensor
