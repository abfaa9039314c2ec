#include "tensor/float_codes.h"

#include <bit>
#include <cstring>

#include "tensor/decode.h"

namespace ckpt::tensor {
namespace {

constexpr std::uint32_t kFloatInfinity = 0x7F800000;

// A float of 16 or 8 bits. Sources: torch/headeronly/util/{Half,BFloat16,Float8_*}.h.
template <int kMantissa, int kBias, std::uint32_t kLargest, std::uint32_t kOverflow, std::uint32_t kNan,
          std::uint32_t kSign>
struct Narrow {
  static constexpr int mantissa = kMantissa;
  static constexpr int least = 1 - kBias - kMantissa;
  static constexpr std::uint32_t largest = kLargest;
  static constexpr std::uint32_t sign = kSign;
  static constexpr bool infinity = kOverflow == kLargest + 1 && kOverflow != kNan;
  static constexpr bool lone_zero = kNan == kSign;

  // The code of a finite float's magnitude, which may be above `largest`.
  static std::uint32_t round(std::uint32_t magnitude) {
    constexpr std::uint32_t kDropped = 23 - kMantissa;
    constexpr std::uint32_t kSmallestNormal = static_cast<std::uint32_t>(128 - kBias) << 23;
    if (magnitude >= kSmallestNormal) {
      const std::uint32_t rebiased = magnitude - (static_cast<std::uint32_t>(127 - kBias) << 23);
      const std::uint32_t odd = (rebiased >> kDropped) & 1U;
      return (rebiased + ((1U << (kDropped - 1)) - 1) + odd) >> kDropped;
    }
    // Added to a float whose last place is 2^least, the value is rounded there by the machine.
    constexpr auto kAnchor = static_cast<std::uint32_t>(127 + 23 + least) << 23;
    const float sum = std::bit_cast<float>(magnitude) + std::bit_cast<float>(kAnchor);
    return std::bit_cast<std::uint32_t>(sum) - kAnchor;
  }

  static std::uint32_t encode(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    const std::uint32_t minus = (bits >> 31) != 0 ? kSign : 0;
    if (magnitude > kFloatInfinity) return kNan;
    const std::uint32_t code = magnitude == kFloatInfinity ? kLargest + 1 : round(magnitude);
    if (code > kLargest) return kOverflow | (lone_zero ? 0 : minus);
    return lone_zero && code == 0 ? 0 : code | minus;
  }
};

using Half = Narrow<10, 15, 0x7BFF, 0x7C00, 0x7E00, 0x8000>;
using BFloat16 = Narrow<7, 127, 0x7F7F, 0x7F80, 0x7FC0, 0x8000>;
using E5M2 = Narrow<2, 15, 0x7B, 0x7C, 0x7F, 0x80>;
using E4M3Fn = Narrow<3, 7, 0x7E, 0x7E, 0x7F, 0x80>;
using E5M2Fnuz = Narrow<2, 16, 0x7F, 0x80, 0x80, 0x80>;
using E4M3Fnuz = Narrow<3, 8, 0x7F, 0x80, 0x80, 0x80>;

// An exponent and nothing else: the sign is dropped, and a tie goes up unless the value
// is below the normal floats.
struct E8M0 {
  static std::uint32_t encode(float value) {
    const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFFU;
    const std::uint32_t exponent = magnitude >> 23;
    if (exponent == 0xFF) return 0xFF;
    const std::uint32_t rest = magnitude & 0x7FFFFFU;
    constexpr std::uint32_t kTie = 0x400000;
    return exponent + (rest > kTie || (rest == kTie && exponent > 0) ? 1U : 0U);
  }
};

template <class Code, class Format>
void round_narrow(std::span<const double> values, std::byte* out) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto code = static_cast<Code>(Format::encode(static_cast<float>(values[i])));
    std::memcpy(out + i * sizeof(Code), &code, sizeof(Code));
  }
}

void round_floats(std::span<const double> values, std::byte* out) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<float>(values[i]);
    std::memcpy(out + i * sizeof(float), &value, sizeof(float));
  }
}

template <class Format>
constexpr FloatCodes codes_of(std::size_t size) {
  return {size,
          Format::mantissa,
          Format::least,
          Format::sign,
          Format::largest,
          Format::infinity,
          Format::lone_zero};
}

}  // namespace

DType real_dtype(DType dtype) {
  if (dtype == DType::kComplex32) return DType::kFloat16;
  if (dtype == DType::kBComplex32) return DType::kBFloat16;
  if (dtype == DType::kComplex64) return DType::kFloat32;
  if (dtype == DType::kComplex128) return DType::kFloat64;
  return dtype;
}

bool has_float_codes(DType dtype) { return dtype_class(dtype) == DTypeClass::kFloat; }

FloatCodes float_codes(DType dtype) {
  if (dtype == DType::kFloat64)
    return {8, 52, -1074, std::uint64_t{1} << 63, 0x7FEFFFFFFFFFFFFF, true, false};
  if (dtype == DType::kFloat32) return {4, 23, -149, 0x80000000, 0x7F7FFFFF, true, false};
  if (dtype == DType::kFloat16) return codes_of<Half>(2);
  if (dtype == DType::kBFloat16) return codes_of<BFloat16>(2);
  if (dtype == DType::kFloat8E5M2) return codes_of<E5M2>(1);
  if (dtype == DType::kFloat8E4M3Fn) return codes_of<E4M3Fn>(1);
  if (dtype == DType::kFloat8E5M2Fnuz) return codes_of<E5M2Fnuz>(1);
  if (dtype == DType::kFloat8E4M3Fnuz) return codes_of<E4M3Fnuz>(1);
  return {1, 0, -127, 0, 0xFE, false, false};  // float8_e8m0fnu
}

double float_value(DType dtype, std::uint64_t code) {
  if (dtype == DType::kFloat64) return std::bit_cast<double>(code);
  if (dtype == DType::kFloat32) return as_double(std::bit_cast<float>(static_cast<std::uint32_t>(code)));
  if (dtype == DType::kFloat16) return as_double(half_value(static_cast<std::uint16_t>(code)));
  if (dtype == DType::kBFloat16) return as_double(bfloat16_value(static_cast<std::uint16_t>(code)));
  return float8_value(dtype, static_cast<std::uint8_t>(code));
}

void round_to(DType dtype, std::span<const double> values, std::byte* out) {
  if (values.empty()) return;
  if (dtype == DType::kFloat64) {
    std::memcpy(out, values.data(), values.size_bytes());
    return;
  }
  if (dtype == DType::kFloat32) return round_floats(values, out);
  if (dtype == DType::kFloat16) return round_narrow<std::uint16_t, Half>(values, out);
  if (dtype == DType::kBFloat16) return round_narrow<std::uint16_t, BFloat16>(values, out);
  if (dtype == DType::kFloat8E5M2) return round_narrow<std::uint8_t, E5M2>(values, out);
  if (dtype == DType::kFloat8E4M3Fn) return round_narrow<std::uint8_t, E4M3Fn>(values, out);
  if (dtype == DType::kFloat8E5M2Fnuz) return round_narrow<std::uint8_t, E5M2Fnuz>(values, out);
  if (dtype == DType::kFloat8E4M3Fnuz) return round_narrow<std::uint8_t, E4M3Fnuz>(values, out);
  round_narrow<std::uint8_t, E8M0>(values, out);
}

}  // namespace ckpt::tensor
