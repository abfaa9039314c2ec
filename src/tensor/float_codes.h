// The floating types as bit patterns: rounding to them, and their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "tensor/dtype.h"

namespace ckpt::tensor {

// One real floating type. Codes are sign and magnitude, and a larger magnitude has the larger code.
struct FloatCodes {
  std::size_t size = 0;    // bytes
  int mantissa = 0;        // stored bits
  int least = 0;           // 2^least is the smallest magnitude, the unit in the last place of all subnormals
  std::uint64_t sign = 0;  // the sign's bit; 0: none (float8_e8m0fnu)
  std::uint64_t largest = 0;  // finite magnitude
  bool infinity = false;      // largest + 1 is infinite
  bool lone_zero = false;     // the code of -0 is the NaN (fnuz)

  bool finite(std::uint64_t code) const { return (code & ~sign) <= largest && !(lone_zero && code == sign); }
  bool nan(std::uint64_t code) const {
    return (lone_zero && code == sign) || (code & ~sign) > largest + (infinity ? 1U : 0U);
  }
  // Distances between finite codes are differences of positions; 0 and -0 are at one place.
  std::uint64_t position(std::uint64_t code) const {
    const std::uint64_t magnitude = code & ~sign;
    return (code & sign) != 0 ? sign - magnitude : sign + magnitude;
  }
};

// The type of a complex type's parts; a real type itself.
DType real_dtype(DType dtype);
bool has_float_codes(DType dtype);  // the real floating types
// Requires: has_float_codes.
FloatCodes float_codes(DType dtype);
double float_value(DType dtype, std::uint64_t code);
// One code of 1, 2, 4 or 8 bytes. In the header, and a switch: this is in the innermost loops.
inline std::uint64_t load_code(const std::byte* from, std::size_t size) {
  std::uint64_t code = 0;  // little-endian, see block_reader.cpp
  switch (size) {
    case 1: std::memcpy(&code, from, 1); break;
    case 2: std::memcpy(&code, from, 2); break;
    case 4: std::memcpy(&code, from, 4); break;
    default: std::memcpy(&code, from, 8); break;
  }
  return code;
}

// Rounds as torch does on a CPU (see is_cast in explain.h); a NaN becomes one of the type. `out` has room for
// values.size() elements of the type.
void round_to(DType dtype, std::span<const double> values, std::byte* out);

}  // namespace ckpt::tensor
