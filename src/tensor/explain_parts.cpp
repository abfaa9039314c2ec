#include "tensor/explain_parts.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace ckpt::tensor {
namespace {

std::uint64_t key_of(const std::byte* element, std::size_t size) {
  std::array<std::uint64_t, 2> words{};
  std::memcpy(words.data(), element, size);
  // Of 16 bytes, a hash: two values that share one would only count as evidence less.
  return words[0] ^ (words[1] * 0x9E3779B97F4A7C15U);
}

}  // namespace

CodeDistance code_distance(std::span<const std::byte> old_codes, std::span<const std::byte> new_codes,
                           const FloatCodes& codes) {
  const DistanceKernels& kernel = kernels().distance;
  const CodeDistanceOf distance = codes.size == 1   ? kernel.of_1
                                  : codes.size == 2 ? kernel.of_2
                                  : codes.size == 4 ? kernel.of_4
                                                    : kernel.of_8;
  return distance(old_codes.data(), new_codes.data(), old_codes.size() / codes.size, codes);
}

bool same_type(const TensorView& old_view, const TensorView& new_view) {
  if (old_view.dtype != new_view.dtype) return false;
  if (dtype_class(old_view.dtype) != DTypeClass::kQuant) return true;
  if (!old_view.quantizer || !new_view.quantizer) return !old_view.quantizer && !new_view.quantizer;
  const Quantizer& a = *old_view.quantizer;
  const Quantizer& b = *new_view.quantizer;
  return a.scheme == Quantizer::Scheme::kPerTensor && b.scheme == Quantizer::Scheme::kPerTensor &&
         a.scale == b.scale && a.zero_point == b.zero_point;
}

bool is_identical(const TensorRef& old_tensor, const TensorRef& new_tensor) {
  return same_elements(*old_tensor.view, *old_tensor.storage, *new_tensor.view, *new_tensor.storage);
}

int significant_bits(double value) {
  const auto mantissa = std::bit_cast<std::uint64_t>(value) & ((std::uint64_t{1} << 52) - 1);
  return mantissa == 0 ? 1 : 53 - std::countr_zero(mantissa);
}

double arrangement_bits(std::span<const std::uint64_t> sorted) {
  // n! / (k1! k2! ...) as a product of n ratios.
  double bits = 0;
  std::size_t run = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    run = i > 0 && sorted[i] == sorted[i - 1] ? run + 1 : 1;
    bits += std::log2(static_cast<double>(i + 1) / static_cast<double>(run));
  }
  return bits;
}

double arrangement_bits(const TensorRef& tensor, double enough) {
  const Plan plan = plan_view(*tensor.view, *tensor.storage);
  Buffer block;
  BlockReader reader({tensor.view, tensor.storage, &plan.layout}, 0, plan.layout.count, block, Tuning{});
  const std::size_t size = unpacked_size(tensor.view->dtype);
  std::array<std::uint64_t, kChunk> keys{};
  double bits = 0;
  while (reader.remaining() > 0 && bits < enough) {
    const auto elements = reader.next(kChunk);
    const std::size_t count = elements.size() / size;
    if (std::memcmp(elements.data(), elements.data() + size, elements.size() - size) == 0)
      continue;  // all equal
    for (std::size_t i = 0; i < count; ++i) keys[i] = key_of(elements.data() + i * size, size);
    std::sort(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(count));
    bits += arrangement_bits(std::span<const std::uint64_t>(keys).first(count));
  }
  return bits;
}

}  // namespace ckpt::tensor
