#include "tensor/tolerance.h"

#include <algorithm>

namespace ckpt::tensor {
namespace {

constexpr Tolerance kOfFloat16{0.001, 1e-5};
constexpr Tolerance kOfBFloat16{0.016, 1e-5};
constexpr Tolerance kOfFloat32{1.3e-6, 1e-5};
constexpr Tolerance kOfFloat64{1e-7, 1e-7};

Tolerance tolerance_of(DType dtype) {
  if (dtype == DType::kFloat16 || dtype == DType::kComplex32) return kOfFloat16;
  if (dtype == DType::kBFloat16) return kOfBFloat16;
  if (dtype == DType::kFloat32 || dtype == DType::kComplex64) return kOfFloat32;
  if (dtype == DType::kFloat64 || dtype == DType::kComplex128) return kOfFloat64;
  if (dtype_class(dtype) == DTypeClass::kQuant) return kOfFloat32;
  return {};
}

}  // namespace

Tolerance default_tolerance(DType old_dtype, DType new_dtype) {
  const Tolerance a = tolerance_of(old_dtype);
  const Tolerance b = tolerance_of(new_dtype);
  return {std::max(a.rtol, b.rtol), std::max(a.atol, b.atol)};
}

}  // namespace ckpt::tensor
