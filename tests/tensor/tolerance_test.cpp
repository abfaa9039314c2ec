#include "tensor/tolerance.h"

#include <algorithm>

#include <doctest/doctest.h>

using namespace ckpt::tensor;

namespace {

// torch 2.13: torch.testing._comparison.default_tolerances(dtype).
struct {
  DType dtype;
  double rtol, atol;
} const kTorch[] = {
    {DType::kFloat64, 1e-07, 1e-07},
    {DType::kFloat32, 1.3e-06, 1e-05},
    {DType::kFloat16, 0.001, 1e-05},
    {DType::kBFloat16, 0.016, 1e-05},
    {DType::kFloat8E5M2, 0, 0},
    {DType::kFloat8E4M3Fn, 0, 0},
    {DType::kFloat8E5M2Fnuz, 0, 0},
    {DType::kFloat8E4M3Fnuz, 0, 0},
    {DType::kFloat8E8M0Fnu, 0, 0},
    {DType::kFloat4E2M1FnX2, 0, 0},
    {DType::kComplex32, 0.001, 1e-05},
    {DType::kComplex64, 1.3e-06, 1e-05},
    {DType::kComplex128, 1e-07, 1e-07},
    {DType::kInt8, 0, 0},
    {DType::kInt16, 0, 0},
    {DType::kInt32, 0, 0},
    {DType::kInt64, 0, 0},
    {DType::kUInt8, 0, 0},
    {DType::kUInt16, 0, 0},
    {DType::kUInt32, 0, 0},
    {DType::kUInt64, 0, 0},
    {DType::kBool, 0, 0},
    {DType::kQInt8, 1.3e-06, 1e-05},
    {DType::kQUInt8, 1.3e-06, 1e-05},
    {DType::kQInt32, 1.3e-06, 1e-05},
    {DType::kQUInt4x2, 1.3e-06, 1e-05},
    {DType::kQUInt2x4, 1.3e-06, 1e-05},
    {DType::kBits8, 0, 0},
    {DType::kBits16, 0, 0},
    {DType::kBits1x8, 0, 0},
    {DType::kBits2x4, 0, 0},
    {DType::kBits4x2, 0, 0},
};

}  // namespace

TEST_CASE("default tolerances are those of torch.testing, and of two types the looser ones") {
  for (const auto& a : kTorch) {
    CAPTURE(name(a.dtype));
    CHECK(default_tolerance(a.dtype, a.dtype).rtol == a.rtol);
    CHECK(default_tolerance(a.dtype, a.dtype).atol == a.atol);
    for (const auto& b : kTorch) {
      CHECK(default_tolerance(a.dtype, b.dtype).rtol == std::max(a.rtol, b.rtol));
      CHECK(default_tolerance(a.dtype, b.dtype).atol == std::max(a.atol, b.atol));
    }
  }
  // As torch itself answers for mixed pairs.
  CHECK(default_tolerance(DType::kFloat64, DType::kFloat16).rtol == 0.001);
  CHECK(default_tolerance(DType::kFloat64, DType::kFloat16).atol == 1e-05);
  CHECK(default_tolerance(DType::kInt64, DType::kFloat64).rtol == 1e-07);
  CHECK(default_tolerance(DType::kFloat32, DType::kFloat32).nan_equal);
  CHECK(default_tolerance(DType::kBComplex32, DType::kBComplex32).rtol == 0);
}
