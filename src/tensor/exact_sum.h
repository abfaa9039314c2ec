// Sums whose terms cancel.
#pragma once

#include <cstddef>

namespace ckpt::tensor {

// The sum of finite values, to the last bit or the one before it; not finite if a sum on the way is not.
// Shewchuk, "Adaptive Precision Floating-Point Arithmetic" (1997), as Python's math.fsum.
template <class T>
double exact_sum(const T* values, std::size_t size);
extern template double exact_sum(const float*, std::size_t);
extern template double exact_sum(const double*, std::size_t);

}  // namespace ckpt::tensor
