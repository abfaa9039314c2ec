#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include <doctest/doctest.h>

#include "tensor/explain.h"
#include "tensor/float_codes.h"
#include "tests/tensor/explain_case.h"
#include "tests/tensor/oracle_casts.h"

using namespace ckpt::tensor;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Tensors of one element each.
bool casts(DType from, std::uint64_t from_code, DType to, std::uint64_t to_code) {
  const auto one = [](DType dtype, std::uint64_t code) {
    const auto bytes = bytes_of<std::uint64_t>({code});
    return make_case(dtype, {1},
                     {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(element_size(dtype))});
  };
  return is_cast(ref(one(from, from_code)), ref(one(to, to_code)));
}

// The code and no neighbour of it. NaN codes are all the same.
void check_code(DType from, std::uint64_t from_code, DType to, std::uint64_t code) {
  CAPTURE(name(to));
  CAPTURE(from_code);
  CAPTURE(code);
  CHECK(casts(from, from_code, to, code));
  const FloatCodes codes = float_codes(to);
  for (const std::uint64_t other : {code ^ 1U, code ^ codes.sign}) {
    if (other == code || (codes.nan(code) && codes.nan(other))) continue;
    const bool saturated = to == DType::kFloat8E4M3Fn && codes.nan(other) && (code & 0x7FU) == 0x7E;
    if (!saturated) CHECK_FALSE(casts(from, from_code, to, other));
  }
}

template <class From, class To>
bool casts_values(DType from, std::vector<From> old_values, DType to, std::vector<To> new_values) {
  return is_cast(ref(make_values(from, old_values)), ref(make_values(to, new_values)));
}

}  // namespace

TEST_CASE("floats are cast as torch casts them: ties, subnormals, overflow, NaN") {
  for (const auto& row : kFloatCasts)
    for (std::size_t i = 0; i < std::size(kNarrowTypes); ++i)
      check_code(DType::kFloat32, row.from, kNarrowTypes[i], row.codes[i]);
}

TEST_CASE("doubles go to the narrow types by way of float32, as in torch") {
  for (const auto& row : kDoubleCasts) {
    const auto from = std::bit_cast<std::uint64_t>(row.from);
    check_code(DType::kFloat64, from, DType::kFloat32, row.float32);
    for (std::size_t i = 0; i < std::size(kNarrowTypes); ++i)
      check_code(DType::kFloat64, from, kNarrowTypes[i], row.codes[i]);
  }
}

TEST_CASE(
    "64-bit integers are rounded once to float32 and float64, and by way of float32 to the narrow types") {
  for (const auto& row : kIntegerCasts) {
    const auto from = static_cast<std::uint64_t>(row.from);
    check_code(DType::kInt64, from, DType::kFloat64, row.float64);
    check_code(DType::kInt64, from, DType::kFloat32, row.float32);
    for (std::size_t i = 0; i < std::size(kNarrowTypes); ++i)
      check_code(DType::kInt64, from, kNarrowTypes[i], row.codes[i]);
  }
  CHECK(casts_values<std::uint64_t, float>(DType::kUInt64, {~std::uint64_t{0}}, DType::kFloat32, {0x1p64F}));
}

TEST_CASE("every code of a narrow type widens exactly and comes back") {
  for (const DType narrow : kNarrowTypes) {
    CAPTURE(name(narrow));
    std::vector<std::byte> codes;
    const std::size_t size = element_size(narrow);
    for (std::uint32_t code = 0; code < (1U << (8 * size)); ++code)
      for (std::size_t i = 0; i < size; ++i) codes.push_back(static_cast<std::byte>(code >> (8 * i)));
    const auto count = static_cast<std::int64_t>(codes.size() / size);
    const Case small = make_case(narrow, {count}, codes);
    for (const DType wide : {DType::kFloat32, DType::kFloat64}) {
      const Case large = make_case(wide, {count}, rounded(wide, decoded(narrow, codes)));
      CHECK(is_cast(ref(small), ref(large)));
      CHECK(is_cast(ref(large), ref(small)));
    }
  }
}

TEST_CASE("float8_e4m3fn beyond its range may be 448 or NaN, as new and old versions of torch write it") {
  const auto cast = [](float value, std::uint8_t code) {
    return casts_values<float, std::uint8_t>(DType::kFloat32, {1, value}, DType::kFloat8E4M3Fn, {0x38, code});
  };
  CHECK(cast(1000, 0x7E));
  CHECK(cast(1000, 0x7F));
  CHECK(cast(-kInfinity, 0xFF));
  CHECK(cast(kNan, 0x7F));
  CHECK_FALSE(cast(kNan, 0x7E));
  CHECK_FALSE(cast(464, 0x7F));
  CHECK_FALSE(cast(1, 0x7F));
}

TEST_CASE("numbers become integers only if nothing is lost") {
  const auto to_int8 = [](float value, std::int8_t code) {
    return casts_values<float, std::int8_t>(DType::kFloat32, {value}, DType::kInt8, {code});
  };
  CHECK(to_int8(-128, -128));
  CHECK(to_int8(-0.0F, 0));
  CHECK_FALSE(to_int8(1.5F, 1));
  CHECK_FALSE(to_int8(256, 0));
  CHECK_FALSE(to_int8(kNan, 0));
  CHECK_FALSE(to_int8(kInfinity, 127));
  CHECK(casts_values<std::int64_t, std::int32_t>(DType::kInt64, {-7, 1 << 30}, DType::kInt32, {-7, 1 << 30}));
  CHECK_FALSE(
      casts_values<std::int64_t, std::int32_t>(DType::kInt64, {std::int64_t{1} << 32}, DType::kInt32, {0}));
  CHECK_FALSE(
      casts_values<std::int64_t, std::uint64_t>(DType::kInt64, {-1}, DType::kUInt64, {~std::uint64_t{0}}));
  CHECK(casts_values<std::uint64_t, std::int64_t>(DType::kUInt64, {7}, DType::kInt64, {7}));
  CHECK(casts_values<std::uint8_t, std::int64_t>(DType::kBool, {0, 1, 2}, DType::kInt64, {0, 1, 1}));
  CHECK(casts_values<std::int64_t, std::uint8_t>(DType::kInt64, {0, 1}, DType::kBool, {0, 1}));
  CHECK_FALSE(casts_values<std::int64_t, std::uint8_t>(DType::kInt64, {2}, DType::kBool, {1}));
  CHECK_FALSE(casts_values<double, std::int64_t>(DType::kFloat64, {0x1p63}, DType::kInt64,
                                                 {std::numeric_limits<std::int64_t>::max()}));
  CHECK(casts_values<double, std::uint64_t>(DType::kFloat64, {0x1p63}, DType::kUInt64,
                                            {std::uint64_t{1} << 63}));
}

TEST_CASE("complex tensors are cast by parts, and only to complex ones") {
  const Case doubles = make_case(DType::kComplex128, {2}, bytes_of<double>({0.1, -0.0, 1e39, 3}));
  const Case singles = make_case(DType::kComplex64, {2}, bytes_of<float>({0.1F, -0.0F, kInfinity, 3}));
  const Case halves =
      make_case(DType::kComplex32, {2}, bytes_of<std::uint16_t>({0x2E66, 0x8000, 0x7C00, 0x4200}));
  CHECK(is_cast(ref(doubles), ref(singles)));
  CHECK(is_cast(ref(singles), ref(halves)));
  CHECK_FALSE(is_cast(ref(singles), ref(doubles)));
  const Case real = make_case(DType::kFloat32, {2}, bytes_of<float>({1, 2}));
  const Case same = make_case(DType::kComplex64, {2}, bytes_of<float>({1, 0, 2, 0}));
  CHECK_FALSE(is_cast(ref(real), ref(same)));
  CHECK_FALSE(is_cast(ref(same), ref(real)));
}

TEST_CASE("a cast needs equal shapes, two types that can be read, and an element") {
  const Case floats = make_case(DType::kFloat32, {2, 2}, bytes_of<float>({1, 2, 3, 4}));
  CHECK_FALSE(is_cast(ref(floats), ref(floats)));
  CHECK_FALSE(is_cast(ref(floats), ref(make_values<double>(DType::kFloat64, {1, 2, 3, 4}))));
  CHECK_FALSE(casts_values<float, double>(DType::kFloat32, {}, DType::kFloat64, {}));
  CHECK_FALSE(casts_values<std::uint8_t, float>(DType::kQUInt8, {1}, DType::kFloat32, {1}));
  CHECK_FALSE(casts_values<std::uint8_t, float>(DType::kBits8, {1}, DType::kFloat32, {1}));
  CHECK_FALSE(casts_values<float, double>(DType::kFloat32, {0}, DType::kFloat64, {-0.0}));
}

TEST_CASE("a cast is found in any layout, and one other element is noticed") {
  std::mt19937_64 random(6);
  constexpr DType kPairs[][2] = {
      {DType::kFloat32, DType::kBFloat16}, {DType::kFloat32, DType::kFloat16},
      {DType::kFloat64, DType::kFloat32},  {DType::kBFloat16, DType::kFloat32},
      {DType::kFloat16, DType::kBFloat16}, {DType::kFloat32, DType::kFloat8E4M3Fn}};
  for (int round = 0; round < 200; ++round) {
    const auto& pair = kPairs[static_cast<std::size_t>(round) % std::size(kPairs)];
    const std::vector<std::int64_t> shape = {3, static_cast<std::int64_t>(1 + random() % 2000), 2};
    const auto old_elements = random_elements(pair[0], count_of(shape), Values::kOrdinary, random);
    auto new_elements = rounded(pair[1], decoded(pair[0], old_elements));
    CAPTURE(round);
    const Case a = lay_out(pair[0], shape, old_elements, random);
    CHECK(is_cast(ref(a), ref(lay_out(pair[1], shape, new_elements, random))));
    const std::size_t size = element_size(pair[1]);
    new_elements[random() % (new_elements.size() / size) * size] ^= std::byte{1};
    CHECK_FALSE(is_cast(ref(a), ref(lay_out(pair[1], shape, new_elements, random))));
  }
}
