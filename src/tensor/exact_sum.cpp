#include "tensor/exact_sum.h"

#include <cmath>
#include <utility>

#include "tensor/decode.h"

namespace ckpt::tensor {

void ExactSum::add(double term) {
  std::size_t kept = 0;
  for (double partial : partials_) {
    if (std::abs(term) < std::abs(partial)) std::swap(term, partial);
    const double high = term + partial;
    const double low = partial - (high - term);
    if (low != 0) partials_[kept++] = low;
    term = high;
  }
  partials_.resize(kept);
  if (term != 0) partials_.push_back(term);
}

void ExactSum::add(const ExactSum& other) {
  for (const double partial : other.partials_) add(partial);
}

double ExactSum::value() const {
  double sum = 0;
  for (const double partial : partials_) sum += partial;
  return sum;
}

template <class T>
double exact_sum(const T* values, std::size_t size) {
  ExactSum sum;
  for (std::size_t i = 0; i < size; ++i) sum.add(as_double(values[i]));
  return sum.value();
}
template double exact_sum(const float*, std::size_t);
template double exact_sum(const double*, std::size_t);

}  // namespace ckpt::tensor
