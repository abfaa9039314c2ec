#include "tensor/dtype.h"

#include <cmath>
#include <limits>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "tensor/decode.h"

using namespace ckpt::tensor;

namespace {

constexpr std::size_t kDTypes = static_cast<std::size_t>(DType::kBits4x2) + 1;

// IEEE-like floats by the definition: sign, exponent, mantissa.
double by_definition(unsigned code, int exponent_bits, int mantissa_bits, int bias) {
  const double sign = (code >> (exponent_bits + mantissa_bits)) != 0 ? -1 : 1;
  const int exponent = static_cast<int>(code >> mantissa_bits) & ((1 << exponent_bits) - 1);
  const double fraction = std::ldexp(code & ((1U << mantissa_bits) - 1), -mantissa_bits);
  return sign * (exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias));
}

bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

}  // namespace

TEST_CASE("every element type has names of its own which lead back to it") {
  std::set<std::string_view> short_names;
  for (std::size_t i = 0; i < kDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    CAPTURE(name(dtype));
    CHECK(dtype_from_name(name(dtype)) == dtype);
    CHECK_FALSE(short_name(dtype).empty());
    CHECK(short_names.insert(short_name(dtype)).second);
    CHECK(is_decodable(dtype) == (dtype_class(dtype) != DTypeClass::kBits));
  }
  CHECK_FALSE(dtype_from_name("float31").has_value());
  CHECK_FALSE(dtype_from_name("").has_value());
}

TEST_CASE("a storage class of torch names its element type") {
  struct {
    std::string_view text;
    DType dtype;
  } const table[] = {{"DoubleStorage", DType::kFloat64},
                     {"FloatStorage", DType::kFloat32},
                     {"HalfStorage", DType::kFloat16},
                     {"BFloat16Storage", DType::kBFloat16},
                     {"LongStorage", DType::kInt64},
                     {"CharStorage", DType::kInt8},
                     {"ByteStorage", DType::kUInt8},
                     {"BoolStorage", DType::kBool},
                     {"ComplexFloatStorage", DType::kComplex64},
                     {"QUInt4x2Storage", DType::kQUInt4x2},
                     {"Float8_e4m3fnStorage", DType::kFloat8E4M3Fn},
                     {"UInt16Storage", DType::kUInt16}};
  for (const auto& row : table) {
    CAPTURE(row.text);
    CHECK(dtype_from_storage_class(row.text) == row.dtype);
  }
  for (const std::string_view text :
       {"UntypedStorage", "TypedStorage", "Float", "Storage", "", "floatStorage"}) {
    CAPTURE(text);
    CHECK_FALSE(dtype_from_storage_class(text).has_value());
  }
}

TEST_CASE("all 65536 codes of the 16-bit floats are decoded by the definition of their format") {
  for (unsigned code = 0; code < 65536; ++code) {
    const auto bits = static_cast<std::uint16_t>(code);
    const bool half_special = (code & 0x7C00U) == 0x7C00U;
    const bool brain_special = (code & 0x7F80U) == 0x7F80U;
    const double half = as_double(half_value(bits));
    const double brain = as_double(bfloat16_value(bits));
    const double infinity = (code & 0x8000U) != 0 ? -HUGE_VAL : HUGE_VAL;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double half_wanted = !half_special          ? by_definition(code, 5, 10, 15)
                               : (code & 0x3FFU) != 0 ? nan
                                                      : infinity;
    const double brain_wanted = !brain_special        ? by_definition(code, 8, 7, 127)
                                : (code & 0x7FU) != 0 ? nan
                                                      : infinity;
    if (same(half, half_wanted) && same(brain, brain_wanted)) continue;
    CAPTURE(code);
    CHECK(half == half_wanted);
    CHECK(brain == brain_wanted);
  }
}

TEST_CASE("all 256 codes of the 8-bit floats are decoded by the definition of their format") {
  for (unsigned code = 0; code < 256; ++code) {
    CAPTURE(code);
    const auto bits = static_cast<std::uint8_t>(code);
    const unsigned size = code & 0x7FU;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = code > 127 ? -HUGE_VAL : HUGE_VAL;
    const double e5m2 = size > 0x7C ? nan : size == 0x7C ? infinity : by_definition(code, 5, 2, 15);
    CHECK(same(float8_value(DType::kFloat8E5M2, bits), e5m2));
    CHECK(same(float8_value(DType::kFloat8E4M3Fn, bits), size == 0x7F ? nan : by_definition(code, 4, 3, 7)));
    CHECK(
        same(float8_value(DType::kFloat8E5M2Fnuz, bits), code == 0x80 ? nan : by_definition(code, 5, 2, 16)));
    CHECK(
        same(float8_value(DType::kFloat8E4M3Fnuz, bits), code == 0x80 ? nan : by_definition(code, 4, 3, 8)));
    CHECK(same(float8_value(DType::kFloat8E8M0Fnu, bits),
               code == 0xFF ? nan : std::pow(2.0, static_cast<int>(code) - 127)));
  }
  // The largest finite values, as torch.finfo tells them.
  CHECK(float8_value(DType::kFloat8E4M3Fn, 0x7E) == 448);
  CHECK(float8_value(DType::kFloat8E5M2, 0x7B) == 57344);
  CHECK(float8_value(DType::kFloat8E4M3Fnuz, 0x7F) == 240);
  CHECK(float8_value(DType::kFloat8E5M2Fnuz, 0x7F) == 57344);
}
