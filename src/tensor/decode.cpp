#include "tensor/decode.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "tensor/kernels/kernels.h"
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

bool has_negative_codes(DType dtype) {
  return dtype_class(dtype) == DTypeClass::kSInt || dtype == DType::kQInt8 || dtype == DType::kQInt32;
}

// What becomes a float exactly, but float32 itself; null for all others. Codes of quantized types are numbers
// of eight bits, a packed one in each.
Decode<float> float_decoder(DType dtype) {
  const Decoders& decode = kernels().decode;
  const bool is_signed = has_negative_codes(dtype);
  switch (dtype_class(dtype)) {
    case DTypeClass::kFloat:
    case DTypeClass::kComplex:
      if (dtype == DType::kFloat16 || dtype == DType::kComplex32) return decode.float16;
      if (dtype == DType::kBFloat16 || dtype == DType::kBComplex32) return decode.bfloat16;
      if (dtype == DType::kFloat8E5M2) return decode.float8_e5m2;
      if (dtype == DType::kFloat8E4M3Fn) return decode.float8_e4m3fn;
      if (dtype == DType::kFloat8E5M2Fnuz) return decode.float8_e5m2fnuz;
      if (dtype == DType::kFloat8E4M3Fnuz) return decode.float8_e4m3fnuz;
      return dtype == DType::kFloat8E8M0Fnu ? decode.float8_e8m0fnu : nullptr;
    case DTypeClass::kBool: return decode.boolean;
    case DTypeClass::kSInt:
    case DTypeClass::kUInt:
    case DTypeClass::kQuant:
      if (component_size(dtype) == 1) return is_signed ? decode.int8 : decode.uint8;
      if (component_size(dtype) == 2) return is_signed ? decode.int16 : decode.uint16;
      return nullptr;
    case DTypeClass::kBits: return nullptr;
  }
  return nullptr;
}

// Of four bytes; null for all others.
Decode<double> double_decoder(DType dtype) {
  const Decoders& decode = kernels().decode;
  if (component_size(dtype) != 4) return nullptr;
  if (is_floating(dtype)) return decode.float32;
  return has_negative_codes(dtype) ? decode.int32 : decode.uint32;
}

template <class From, class Out>
void convert(std::span<const std::byte> bytes, Out* out) {
  const std::size_t count = bytes.size() / sizeof(From);
  for (std::size_t i = 0; i < count; ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof(From));
    out[i] = static_cast<Out>(value);
  }
}

// By way of floats, as many at a time as stay in the first-level cache.
template <class Out>
void convert_floats(Decode<float> decode, std::size_t size, std::span<const std::byte> bytes, Out* out) {
  std::array<float, kChunk> values;
  for (std::size_t at = 0; at < bytes.size() / size; at += kChunk) {
    const std::size_t count = std::min(kChunk, bytes.size() / size - at);
    decode(bytes.data() + at * size, count, values.data());
    for (std::size_t i = 0; i < count; ++i) out[at + i] = static_cast<Out>(values[i]);
  }
}

// The values of real types, the parts of complex ones.
void convert_components(DType dtype, std::span<const std::byte> bytes, double* out) {
  const std::size_t size = component_size(dtype);
  if (const Decode<float> decode = float_decoder(dtype)) return convert_floats(decode, size, bytes, out);
  if (const Decode<double> decode = double_decoder(dtype)) return decode(bytes.data(), bytes.size() / 4, out);
  if (is_floating(dtype)) return convert<double>(bytes, out);
  return has_negative_codes(dtype) ? convert<std::int64_t>(bytes, out) : convert<std::uint64_t>(bytes, out);
}

Domain domain_of(const Decoder& decoder) {
  switch (dtype_class(decoder.dtype)) {
    case DTypeClass::kComplex: return Domain::kComplex;
    case DTypeClass::kBits: return Domain::kOpaque;
    case DTypeClass::kFloat: return decoder.dtype == DType::kFloat64 ? Domain::kDouble : Domain::kFloat;
    case DTypeClass::kSInt:
    case DTypeClass::kUInt:
    case DTypeClass::kBool:
    case DTypeClass::kQuant: break;
  }
  if (component_size(decoder.dtype) == 8) return Domain::kInteger;
  return component_size(decoder.dtype) == 4 || decoder.dequantize ? Domain::kDouble : Domain::kFloat;
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
  decoder.domain = domain_of(decoder);
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

const float* decode_floats(const Decoder& decoder, std::span<const std::byte> elements, float* buffer) {
  if (decoder.dtype == DType::kFloat32)
    return static_cast<const float*>(static_cast<const void*>(elements.data()));
  float_decoder(decoder.dtype)(elements.data(), elements.size() / component_size(decoder.dtype), buffer);
  return buffer;
}

void decode_doubles(const Decoder& decoder, std::span<const std::byte> elements, std::uint64_t first,
                    double* out) {
  convert_components(decoder.dtype, elements, out);
  if (!decoder.dequantize) return;
  const std::span<double> values(out, elements.size() / component_size(decoder.dtype));
  if (decoder.channels != nullptr) return apply_channels(decoder, first, values);
  for (double& value : values) value = dequantized(value, decoder.zero_point, decoder.scale);
}

template <class T>
void decode_integers(const Decoder& decoder, std::span<const std::byte> elements, T* out) {
  const DType dtype = decoder.dtype;
  const std::size_t size = component_size(dtype);
  const bool is_signed = has_negative_codes(dtype);
  if (const Decode<float> decode = float_decoder(dtype)) return convert_floats(decode, size, elements, out);
  if (size == 4)
    return is_signed ? convert<std::int32_t>(elements, out) : convert<std::uint32_t>(elements, out);
  return is_signed ? convert<std::int64_t>(elements, out) : convert<std::uint64_t>(elements, out);
}
template void decode_integers(const Decoder&, std::span<const std::byte>, std::int64_t*);
template void decode_integers(const Decoder&, std::span<const std::byte>, std::uint64_t*);
template void decode_integers(const Decoder&, std::span<const std::byte>, Int128*);

}  // namespace ckpt::tensor
