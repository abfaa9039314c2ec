// From plain elements (block_reader.h) to numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "tensor/tensor_view.h"

namespace ckpt::tensor {

// Sums and differences of 64-bit integers. __extension__: ISO C++ has no such type, all our compilers do.
__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

// Explicit, and no cast if none is needed: compilers warn about either.
constexpr double as_double(float value) { return static_cast<double>(value); }
constexpr double as_double(double value) { return value; }

// The type in which a view's numbers are computed.
enum class Domain : std::uint8_t {
  kFloat,    // decode_floats: float32, and all that fits in it exactly
  kDouble,   // decode_doubles
  kInteger,  // decode_integers: 64 bits, too wide for double
  kComplex,  // decode_doubles, two per element
  kOpaque,   // no decoder
};

struct Decoder {
  DType dtype = DType::kFloat32;
  Domain domain = Domain::kFloat;
  bool integral = false;    // the values are integers (bool and quantized codes included)
  bool has_sign = true;     // of integral ones: negative values exist
  bool dequantize = false;  // value = (code - zero_point) * scale
  double scale = 1;
  double zero_point = 0;
  // Per channel: element i belongs to channel i / inner % scales.size(). Null: one scale for all.
  std::shared_ptr<const Quantizer> channels = nullptr;
  std::uint64_t inner = 1;

  bool operator==(const Decoder&) const = default;
};

// Quantized views are dequantized; those without a quantizer, and those per channel whose scales are not
// known or that repeat elements, are codes.
Decoder make_decoder(const TensorView& view);

// The values of a type of Domain::kFloat: where they lie if they are float32, which must be aligned, else in
// `buffer`.
const float* decode_floats(const Decoder& decoder, std::span<const std::byte> elements, float* buffer);
// Fills `out` (two doubles a complex element). Any type except Bits; exact except for 64-bit integers.
// `first` is the index of the first element in C order.
void decode_doubles(const Decoder& decoder, std::span<const std::byte> elements, std::uint64_t first,
                    double* out);
// Everything that is `integral`, into a type that holds the values: int64, uint64 or Int128.
template <class T>
void decode_integers(const Decoder& decoder, std::span<const std::byte> elements, T* out);
extern template void decode_integers(const Decoder&, std::span<const std::byte>, std::int64_t*);
extern template void decode_integers(const Decoder&, std::span<const std::byte>, std::uint64_t*);
extern template void decode_integers(const Decoder&, std::span<const std::byte>, Int128*);

// One code of the small floats, by the formula of the OCP 8-bit specification and of torch
// (c10/util/Float8_*.h, Half.h, BFloat16.h).
double float8_value(DType dtype, std::uint8_t code);
float half_value(std::uint16_t code);
float bfloat16_value(std::uint16_t code);

}  // namespace ckpt::tensor
