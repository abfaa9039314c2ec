#include <algorithm>
#include <cstring>

#include "tensor/explain_parts.h"
#include "tensor/float_codes.h"
#include "tensor/raw_elements.h"

namespace ckpt::tensor {
namespace {

// Plain arithmetic on codes without branches: compilers vectorise it.
template <class Code>
std::uint64_t largest_distance(std::span<const std::byte> old_codes, std::span<const std::byte> new_codes,
                               const FloatCodes& codes) {
  const auto sign = static_cast<Code>(codes.sign);
  const auto rest = static_cast<Code>(~sign);
  const auto largest = static_cast<Code>(codes.largest);
  // Where the code of -0 is the NaN, its magnitude is 0, so it needs a separate code.
  const auto nan = codes.lone_zero ? sign : static_cast<Code>(largest + 1);
  Code most = 0;
  for (std::size_t i = 0; i < old_codes.size(); i += sizeof(Code)) {
    Code a{};
    Code b{};
    std::memcpy(&a, old_codes.data() + i, sizeof(Code));
    std::memcpy(&b, new_codes.data() + i, sizeof(Code));
    const auto size_a = static_cast<Code>(a & rest);
    const auto size_b = static_cast<Code>(b & rest);
    const bool finite = static_cast<int>(size_a <= largest) & static_cast<int>(size_b <= largest) &
                        static_cast<int>(a != nan) & static_cast<int>(b != nan);
    const auto at_a = static_cast<Code>((a & sign) != 0 ? sign - size_a : sign + size_a);
    const auto at_b = static_cast<Code>((b & sign) != 0 ? sign - size_b : sign + size_b);
    const auto distance = static_cast<Code>(at_a < at_b ? at_b - at_a : at_a - at_b);
    most = std::max(most, finite ? distance : Code{0});
  }
  return most;
}

std::uint64_t distance_of(std::span<const std::byte> old_codes, std::span<const std::byte> new_codes,
                          const FloatCodes& codes) {
  if (std::memcmp(old_codes.data(), new_codes.data(), old_codes.size()) == 0) return 0;
  if (codes.size == 1) return largest_distance<std::uint8_t>(old_codes, new_codes, codes);
  if (codes.size == 2) return largest_distance<std::uint16_t>(old_codes, new_codes, codes);
  if (codes.size == 4) return largest_distance<std::uint32_t>(old_codes, new_codes, codes);
  return largest_distance<std::uint64_t>(old_codes, new_codes, codes);
}

}  // namespace

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
    most = std::max(most, distance_of(old_elements, new_elements, codes));
    return true;
  });
  return most;
}

}  // namespace ckpt::tensor
