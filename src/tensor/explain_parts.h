// What the explain_*.cpp files share.
#pragma once

#include <cstddef>
#include <span>

#include "base/error.h"
#include "tensor/engine.h"
#include "tensor/explain.h"
#include "tensor/kernels/kernels.h"

namespace ckpt::tensor {

// f(), or what its result type has for "none" if walking a view would cost too much.
template <class F>
auto unless_too_costly(F f) -> decltype(f()) {
  try {
    return f();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kLimit) throw;
    return {};
  }
}

// Two readers in step. Equal shapes; elements that both views repeat are read once.
class PairReader {
 public:
  PairReader(const TensorRef& old_tensor, const TensorRef& new_tensor)
      : plan_(plan_pair(*old_tensor.view, *old_tensor.storage, *new_tensor.view, *new_tensor.storage)),
        old_({old_tensor.view, old_tensor.storage, &plan_.old_layout}, 0, plan_.grid.count, old_block_,
             Tuning{}),
        new_({new_tensor.view, new_tensor.storage, &plan_.new_layout}, 0, plan_.grid.count, new_block_,
             Tuning{}) {}
  PairReader(const PairReader&) = delete;
  PairReader& operator=(const PairReader&) = delete;

  std::size_t remaining(std::size_t most) const {
    return static_cast<std::size_t>(std::min<std::uint64_t>(old_.remaining(), most));
  }
  std::span<const std::byte> next_old(std::size_t count) { return old_.next(count); }
  std::span<const std::byte> next_new(std::size_t count) { return new_.next(count); }

 private:
  PairPlan plan_;
  Buffer old_block_, new_block_;
  BlockReader old_, new_;
};

// visit(old elements, new elements, count) for pieces of at most `most` elements until it returns false. True
// if it never did.
template <class Visit>
bool visit_pairs(const TensorRef& old_tensor, const TensorRef& new_tensor, std::size_t most, Visit visit) {
  PairReader pair(old_tensor, new_tensor);
  while (const std::size_t count = pair.remaining(most)) {
    const auto old_elements = pair.next_old(count);
    const auto new_elements = pair.next_new(count);
    if (!visit(old_elements, new_elements, count)) return false;
  }
  return true;
}

// Of codes of one type, as many on either side.
CodeDistance code_distance(std::span<const std::byte> old_codes, std::span<const std::byte> new_codes,
                           const FloatCodes& codes);

// Equal dtypes whose codes mean the same: quantized ones with one scale for the whole tensor, and the same.
bool same_type(const TensorView& old_view, const TensorView& new_view);
bool is_identical(const TensorRef& old_tensor, const TensorRef& new_tensor);

// Bits of the significand that a number uses: 1 for powers of two.
int significant_bits(double value);

// log2 of the number of different orders of the elements, summed over runs of 1024; stops at `enough`.
double arrangement_bits(const TensorRef& tensor, double enough);
// The same of sorted values, all together.
double arrangement_bits(std::span<const std::uint64_t> sorted);

}  // namespace ckpt::tensor
