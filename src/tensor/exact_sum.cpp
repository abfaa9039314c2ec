#include "tensor/exact_sum.h"

#include <cmath>
#include <utility>
#include <vector>

#include "tensor/decode.h"

namespace ckpt::tensor {
namespace {

// Adds `value` to an expansion: numbers whose sum is exact, ascending in size, none overlapping another.
void add(std::vector<double>& partials, double value) {
  std::size_t kept = 0;
  for (double partial : partials) {
    if (std::abs(value) < std::abs(partial)) std::swap(value, partial);
    const double high = value + partial;
    const double low = partial - (high - value);
    if (low != 0) partials[kept++] = low;
    value = high;
  }
  partials.resize(kept);
  partials.push_back(value);
}

}  // namespace

template <class T>
double exact_sum(const T* values, std::size_t size) {
  std::vector<double> partials;
  for (std::size_t i = 0; i < size; ++i) add(partials, as_double(values[i]));
  double sum = 0;
  for (const double partial : partials) sum += partial;
  return sum;
}
template double exact_sum(const float*, std::size_t);
template double exact_sum(const double*, std::size_t);

}  // namespace ckpt::tensor
