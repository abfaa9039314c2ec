#include "tensor/raw_elements.h"

#include <algorithm>
#include <cstring>

namespace ckpt::tensor {
namespace {

constexpr std::byte kSign{0x80};

template <std::size_t kSize>
void reverse_each(std::span<std::byte> bytes) {
  for (std::size_t i = 0; i + kSize <= bytes.size(); i += kSize)
    std::reverse(bytes.data() + i, bytes.data() + i + kSize);
}

// Flips the top bit of every `step`-th component, from component `from` on (components are little-endian).
void flip_signs(std::span<std::byte> bytes, std::size_t component, std::size_t from, std::size_t step) {
  for (std::size_t i = from * component + component - 1; i < bytes.size(); i += step * component)
    bytes[i] ^= kSign;
}

// -x of two's complement integers: ~x + 1, carried by hand so that no type is needed.
void negate_integers(std::span<std::byte> bytes, std::size_t size) {
  for (std::size_t at = 0; at + size <= bytes.size(); at += size) {
    unsigned carry = 1;
    for (std::size_t i = 0; i < size; ++i) {
      const unsigned sum = (~std::to_integer<unsigned>(bytes[at + i]) & 0xFFU) + carry;
      bytes[at + i] = static_cast<std::byte>(sum & 0xFFU);
      carry = sum >> 8;
    }
  }
}

void negate_floats(DType dtype, std::span<std::byte> bytes) {
  if (dtype == DType::kFloat8E8M0Fnu) return;  // has no sign bit
  if (dtype == DType::kFloat8E5M2Fnuz || dtype == DType::kFloat8E4M3Fnuz) {
    // These have one zero, and 0x80 is their NaN: neither changes.
    for (std::byte& code : bytes)
      if ((code & ~kSign) != std::byte{0}) code ^= kSign;
    return;
  }
  flip_signs(bytes, component_size(dtype), 0, 1);
}

template <std::size_t kSize>
void copy_sized(std::byte* out, std::size_t out_stride, const std::byte* from, std::size_t stride,
                std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(out + i * out_stride * kSize, from + i * stride * kSize, kSize);
}

}  // namespace

std::size_t component_size(DType dtype) {
  const auto size = element_size(dtype);
  return dtype_class(dtype) == DTypeClass::kComplex ? size / 2 : size;
}

void swap_bytes(DType dtype, std::span<std::byte> elements) {
  switch (component_size(dtype)) {
    case 2: return reverse_each<2>(elements);
    case 4: return reverse_each<4>(elements);
    case 8: return reverse_each<8>(elements);
    default: return;
  }
}

void resolve_signs(DType dtype, bool conj, bool neg, std::span<std::byte> elements) {
  switch (dtype_class(dtype)) {
    case DTypeClass::kComplex:
      if (neg) flip_signs(elements, component_size(dtype), 0, 1);
      if (conj) flip_signs(elements, component_size(dtype), 1, 2);
      return;
    case DTypeClass::kFloat:
      if (neg) negate_floats(dtype, elements);
      return;
    case DTypeClass::kSInt:
    case DTypeClass::kUInt:
      if (neg) negate_integers(elements, component_size(dtype));
      return;
    case DTypeClass::kBool:
    case DTypeClass::kQuant:
    case DTypeClass::kBits: return;
  }
}

void unpack_codes(DType dtype, std::span<const std::byte> packed, std::size_t phase,
                  std::span<std::byte> codes) {
  const std::size_t per_byte = elements_per_byte(dtype);
  const unsigned width = bits(dtype);
  const auto mask = static_cast<std::byte>((1U << width) - 1);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::size_t at = phase + i;
    codes[i] = (packed[at / per_byte] >> (width * (at % per_byte))) & mask;
  }
}

std::size_t pack_codes(DType dtype, std::span<const std::byte> codes, std::span<std::byte> packed) {
  const std::size_t per_byte = elements_per_byte(dtype);
  const unsigned width = bits(dtype);
  const std::size_t size = (codes.size() + per_byte - 1) / per_byte;
  std::fill_n(packed.begin(), size, std::byte{0});
  for (std::size_t i = 0; i < codes.size(); ++i) packed[i / per_byte] |= codes[i] << (width * (i % per_byte));
  return size;
}

void copy_strided(std::byte* out, std::size_t out_stride, const std::byte* from, std::size_t stride,
                  std::size_t count, std::size_t size) {
  switch (size) {
    case 1: return copy_sized<1>(out, out_stride, from, stride, count);
    case 2: return copy_sized<2>(out, out_stride, from, stride, count);
    case 4: return copy_sized<4>(out, out_stride, from, stride, count);
    case 8: return copy_sized<8>(out, out_stride, from, stride, count);
    case 16: return copy_sized<16>(out, out_stride, from, stride, count);
    default: return;
  }
}

}  // namespace ckpt::tensor
