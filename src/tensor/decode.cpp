#include "tensor/decode.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "tensor/raw_elements.h"

namespace ckpt::tensor {
namespace {

// A float of 8 bits: exponent and mantissa widths, bias, and which codes are special.
struct SmallFloat {
  int mantissa;
  int bias;
  bool infinities;     // IEEE: the largest exponent is infinity and NaN
  bool unsigned_zero;  // fnuz: 0x80 is the only NaN
};

constexpr SmallFloat small_float(DType dtype) {
  if (dtype == DType::kFloat8E5M2) return {2, 15, true, false};
  if (dtype == DType::kFloat8E4M3Fn) return {3, 7, false, false};
  if (dtype == DType::kFloat8E5M2Fnuz) return {2, 16, false, true};
  return {3, 8, false, true};  // e4m3fnuz
}

double special_or_nan(const SmallFloat& format, unsigned code) {
  const double infinity = std::numeric_limits<double>::infinity();
  const unsigned mantissa = code & ((1U << format.mantissa) - 1);
  if (!format.infinities || mantissa != 0) return std::numeric_limits<double>::quiet_NaN();
  return (code & 0x80U) != 0 ? -infinity : infinity;
}

bool is_special(const SmallFloat& format, unsigned code) {
  if (format.unsigned_zero) return code == 0x80;
  const unsigned largest = 0x7FU >> format.mantissa;
  if (format.infinities) return ((code & 0x7FU) >> format.mantissa) == largest;
  return (code & 0x7FU) == 0x7F;  // e4m3fn: only all ones
}

using Table = std::array<double, 256>;

Table make_table(DType dtype) {
  Table table{};
  for (unsigned code = 0; code < 256; ++code)
    table[code] = float8_value(dtype, static_cast<std::uint8_t>(code));
  return table;
}

const Table& float8_table(DType dtype) {
  static const Table e5m2 = make_table(DType::kFloat8E5M2);
  static const Table e4m3 = make_table(DType::kFloat8E4M3Fn);
  static const Table e5m2z = make_table(DType::kFloat8E5M2Fnuz);
  static const Table e4m3z = make_table(DType::kFloat8E4M3Fnuz);
  static const Table e8m0 = make_table(DType::kFloat8E8M0Fnu);
  if (dtype == DType::kFloat8E5M2) return e5m2;
  if (dtype == DType::kFloat8E4M3Fn) return e4m3;
  if (dtype == DType::kFloat8E5M2Fnuz) return e5m2z;
  if (dtype == DType::kFloat8E4M3Fnuz) return e4m3z;
  return e8m0;
}

// Calls put(i, element) for elements of type T, read without assuming alignment.
template <class T, class Put>
void for_each(std::span<const std::byte> bytes, Put put) {
  const std::size_t count = bytes.size() / sizeof(T);
  for (std::size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    put(i, value);
  }
}

template <class T, class Out>
void convert(std::span<const std::byte> bytes, Out* out) {
  for_each<T>(bytes, [out](std::size_t i, T value) { out[i] = static_cast<Out>(value); });
}

template <class Out>
void convert_bools(std::span<const std::byte> bytes, Out* out) {
  // torch: any byte but 0 is true.
  for (std::size_t i = 0; i < bytes.size(); ++i) out[i] = static_cast<Out>(bytes[i] != std::byte{0} ? 1 : 0);
}

void convert_float8(DType dtype, std::span<const std::byte> bytes, double* out) {
  const Table& table = float8_table(dtype);
  for (std::size_t i = 0; i < bytes.size(); ++i) out[i] = table[std::to_integer<std::size_t>(bytes[i])];
}

void convert_halves(std::span<const std::byte> bytes, double* out) {
  for_each<std::uint16_t>(bytes,
                          [out](std::size_t i, std::uint16_t code) { out[i] = as_double(half_value(code)); });
}

void convert_bfloat16s(std::span<const std::byte> bytes, double* out) {
  for_each<std::uint16_t>(
      bytes, [out](std::size_t i, std::uint16_t code) { out[i] = as_double(bfloat16_value(code)); });
}

bool has_negative_codes(DType dtype) {
  return dtype_class(dtype) == DTypeClass::kSInt || dtype == DType::kQInt8 || dtype == DType::kQInt32;
}

template <class Out>
void convert_integers(DType dtype, std::span<const std::byte> bytes, Out* out) {
  const std::size_t size = component_size(dtype);
  const bool is_signed = has_negative_codes(dtype);
  if (dtype_class(dtype) == DTypeClass::kBool) return convert_bools(bytes, out);
  if (size == 1) return is_signed ? convert<std::int8_t>(bytes, out) : convert<std::uint8_t>(bytes, out);
  if (size == 2) return is_signed ? convert<std::int16_t>(bytes, out) : convert<std::uint16_t>(bytes, out);
  if (size == 4) return is_signed ? convert<std::int32_t>(bytes, out) : convert<std::uint32_t>(bytes, out);
  return is_signed ? convert<std::int64_t>(bytes, out) : convert<std::uint64_t>(bytes, out);
}

void convert_floats(DType dtype, std::span<const std::byte> bytes, double* out) {
  if (component_size(dtype) == 8) return convert<double>(bytes, out);
  if (component_size(dtype) == 4) return convert<float>(bytes, out);
  if (dtype == DType::kBFloat16 || dtype == DType::kBComplex32) return convert_bfloat16s(bytes, out);
  if (component_size(dtype) == 2) return convert_halves(bytes, out);
  convert_float8(dtype, bytes, out);
}

Domain domain_of(const Decoder& decoder) {
  switch (dtype_class(decoder.dtype)) {
    case DTypeClass::kFloat: return decoder.dtype == DType::kFloat32 ? Domain::kFloat32 : Domain::kDouble;
    case DTypeClass::kComplex: return Domain::kComplex;
    case DTypeClass::kBits: return Domain::kOpaque;
    case DTypeClass::kSInt:
    case DTypeClass::kUInt:
    case DTypeClass::kBool:
    case DTypeClass::kQuant: return component_size(decoder.dtype) == 8 ? Domain::kInteger : Domain::kDouble;
  }
  return Domain::kOpaque;
}

}  // namespace

double float8_value(DType dtype, std::uint8_t code) {
  if (dtype == DType::kFloat8E8M0Fnu)
    return code == 0xFF ? std::numeric_limits<double>::quiet_NaN() : std::ldexp(1.0, int{code} - 127);
  const SmallFloat format = small_float(dtype);
  if (is_special(format, code)) return special_or_nan(format, code);
  const int mantissa = code & ((1 << format.mantissa) - 1);
  const int exponent = (code & 0x7F) >> format.mantissa;
  const int implicit = exponent == 0 ? 0 : 1 << format.mantissa;
  const int power = (exponent == 0 ? 1 : exponent) - format.bias - format.mantissa;
  const double value = std::ldexp(static_cast<double>(implicit + mantissa), power);
  return (code & 0x80) != 0 ? -value : value;
}

float half_value(std::uint16_t code) {
  const std::uint32_t sign = (code & 0x8000U) << 16;
  const std::uint32_t rest = (code & 0x7FFFU) << 13;
  // Read as a float, the bits are the value over 2^112, denormals included: one exact multiplication.
  const float scaled = std::bit_cast<float>(rest) * std::bit_cast<float>(std::uint32_t{(127 + 112) << 23});
  const std::uint32_t finite = std::bit_cast<std::uint32_t>(scaled);
  const std::uint32_t special = rest | 0x7F800000U;
  return std::bit_cast<float>(sign | ((code & 0x7C00U) == 0x7C00U ? special : finite));
}

float bfloat16_value(std::uint16_t code) { return std::bit_cast<float>(std::uint32_t{code} << 16); }

namespace {

// Requires: scheme kPerChannel.
bool has_channels(const TensorView& view) {
  const Quantizer& quantizer = *view.quantizer;
  if (quantizer.axis >= view.shape.size() || quantizer.scales.empty()) return false;
  if (quantizer.scales.size() != static_cast<std::uint64_t>(view.shape[quantizer.axis])) return false;
  for (std::size_t i = 0; i < view.shape.size(); ++i)
    if (view.strides[i] == 0 && view.shape[i] > 1) return false;  // then not every element is walked
  return quantizer.zero_points.size() == quantizer.scales.size();
}

std::uint64_t elements_of_channel(const TensorView& view) {
  std::uint64_t inner = 1;
  for (std::size_t i = view.quantizer->axis + 1; i < view.shape.size(); ++i)
    inner *= static_cast<std::uint64_t>(view.shape[i]);
  return std::max<std::uint64_t>(inner, 1);
}

// torch dequantizes to float32 (aten/src/ATen/quantized/Quantizer.cpp).
double dequantized(double code, double zero_point, double scale) {
  return as_double(static_cast<float>((code - zero_point) * scale));
}

void apply_channels(const Decoder& decoder, std::uint64_t first, std::span<double> values) {
  const Quantizer& quantizer = *decoder.channels;
  std::uint64_t channel = first / decoder.inner % quantizer.scales.size();
  std::uint64_t left = decoder.inner - first % decoder.inner;
  for (double& value : values) {
    value = dequantized(value, quantizer.zero_points[channel], quantizer.scales[channel]);
    if (--left > 0) continue;
    left = decoder.inner;
    channel = channel + 1 == quantizer.scales.size() ? 0 : channel + 1;
  }
}

}  // namespace

Decoder make_decoder(const TensorView& view) {
  Decoder decoder;
  decoder.dtype = view.dtype;
  decoder.domain = domain_of(decoder);
  decoder.has_sign = is_floating(view.dtype) || has_negative_codes(view.dtype);
  decoder.integral = !is_floating(view.dtype) && decoder.domain != Domain::kOpaque;
  if (dtype_class(view.dtype) != DTypeClass::kQuant || !view.quantizer) return decoder;
  const bool per_channel = view.quantizer->scheme == Quantizer::Scheme::kPerChannel;
  if (per_channel && !has_channels(view)) return decoder;
  decoder.dequantize = true;
  decoder.integral = false;
  if (per_channel) {
    decoder.channels = view.quantizer;
    decoder.inner = elements_of_channel(view);
  } else {
    decoder.scale = view.quantizer->scale;
    decoder.zero_point = static_cast<double>(view.quantizer->zero_point);
  }
  return decoder;
}

void decode_doubles(const Decoder& decoder, std::span<const std::byte> elements, std::uint64_t first,
                    double* out) {
  if (is_floating(decoder.dtype)) return convert_floats(decoder.dtype, elements, out);
  convert_integers(decoder.dtype, elements, out);
  if (!decoder.dequantize) return;
  const std::span<double> values(out, elements.size() / component_size(decoder.dtype));
  if (decoder.channels != nullptr) return apply_channels(decoder, first, values);
  for (double& value : values) value = dequantized(value, decoder.zero_point, decoder.scale);
}

template <class T>
void decode_integers(const Decoder& decoder, std::span<const std::byte> elements, T* out) {
  convert_integers(decoder.dtype, elements, out);
}
template void decode_integers(const Decoder&, std::span<const std::byte>, std::int64_t*);
template void decode_integers(const Decoder&, std::span<const std::byte>, std::uint64_t*);
template void decode_integers(const Decoder&, std::span<const std::byte>, Int128*);

}  // namespace ckpt::tensor
