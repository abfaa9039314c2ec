// What torch.testing.assert_close allows by default, as data.
#pragma once

#include "tensor/delta.h"
#include "tensor/dtype.h"

namespace ckpt::tensor {

// The table _DTYPE_PRECISIONS of torch/testing/_comparison.py (torch 2.13). Quantized types are compared
// dequantized and have float32's. Types that the table does not name have 0 and 0, which is also upstream's
// fallback (integers, bool, the float8 types, bits); bcomplex32, which that torch has no name for, is treated
// the same. Of two types, the larger rtol and the larger atol. nan_equal stays true: two NaNs of two
// checkpoints are not a change (assert_close itself has equal_nan=False).
Tolerance default_tolerance(DType old_dtype, DType new_dtype);

}  // namespace ckpt::tensor
