// Sums whose terms cancel.
#pragma once

#include <cstddef>
#include <vector>

namespace ckpt::tensor {

// A sum without rounding: numbers whose sum it is, ascending in size, none overlapping another. At most 40 of
// them, mostly one to three. Shewchuk, "Adaptive Precision Floating-Point Arithmetic" (1997), as Python's
// math.fsum. Terms are finite.
class ExactSum {
 public:
  void add(double term);
  void add(const ExactSum& other);
  double value() const;  // to the last bit or the one before it; not finite if a sum on the way was not

 private:
  std::vector<double> partials_;
};

template <class T>
double exact_sum(const T* values, std::size_t size);
extern template double exact_sum(const float*, std::size_t);
extern template double exact_sum(const double*, std::size_t);

}  // namespace ckpt::tensor
