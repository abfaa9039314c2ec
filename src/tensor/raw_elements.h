// Changes to undecoded elements, in place or from one block to another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/dtype.h"

namespace ckpt::tensor {

// Bytes that are swapped as a unit: an element, or half of a complex one.
std::size_t component_size(DType dtype);
void swap_bytes(DType dtype, std::span<std::byte> elements);
// Resolves torch's lazy bits: `conj` negates imaginary parts, `neg` the whole value. Types without a sign
// stay as they are.
void resolve_signs(DType dtype, bool conj, bool neg, std::span<std::byte> elements);
// Packed codes lie lowest bits first (checked with torch: the values 0, 1, 2, 3 are the bytes 10 32).
// `phase` is the index of the first code in packed[0].
void unpack_codes(DType dtype, std::span<const std::byte> packed, std::size_t phase,
                  std::span<std::byte> codes);
// The reverse, from phase 0, a short last byte filled with zeros. Returns the bytes written.
std::size_t pack_codes(DType dtype, std::span<const std::byte> codes, std::span<std::byte> packed);
// out[i] = from[i * stride], elements of `size` bytes (1, 2, 4, 8 or 16); stride in elements.
void copy_strided(std::byte* out, std::size_t out_stride, const std::byte* from, std::size_t stride,
                  std::size_t count, std::size_t size);

}  // namespace ckpt::tensor
