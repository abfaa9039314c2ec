#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "tensor/explain.h"
#include "tensor/float_codes.h"
#include "tests/tensor/explain_case.h"

using namespace ckpt::tensor;

namespace {

std::uint64_t distance(const Case& a, const Case& b) {
  const std::uint64_t there = max_ulp_distance(ref(a), ref(b));
  CHECK(max_ulp_distance(ref(b), ref(a)) == there);
  return there;
}

std::uint64_t of_floats(float a, float b) {
  return distance(make_values<float>(DType::kFloat32, {1, a}), make_values<float>(DType::kFloat32, {1, b}));
}

// The definition: finite values of the type in order, and how far apart the two stand.
std::uint64_t by_counting(DType dtype, std::uint64_t a, std::uint64_t b) {
  const double low = std::min(float_value(dtype, a), float_value(dtype, b));
  const double high = std::max(float_value(dtype, a), float_value(dtype, b));
  std::uint64_t above = 0;
  for (std::uint64_t code = 0; code < 256; ++code) {
    const double value = float_value(dtype, code);
    const bool second_zero = value == 0 && std::signbit(value);
    if (!std::isfinite(value) || second_zero) continue;
    above += value > low && value <= high ? 1U : 0U;
  }
  return above;
}

}  // namespace

TEST_CASE("the distance of two floats is the number of steps between them") {
  const float inf = std::numeric_limits<float>::infinity();
  const float least = std::numeric_limits<float>::denorm_min();
  const struct {
    float a, b;
    std::uint64_t steps;
  } table[] = {{1, 1, 0},
               {1, std::nextafter(1.0F, 2.0F), 1},
               {1, std::nextafter(1.0F, 0.0F), 1},
               {1, 2, 1U << 23},
               {0, -0.0F, 0},
               {0, least, 1},
               {-least, least, 2},
               {-0.0F, least, 1},
               {-1, 1, 2ULL * 0x3F800000},
               {std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max(), 2ULL * 0x7F7FFFFF},
               {inf, 1, 0},
               {1, -inf, 0},
               {std::numeric_limits<float>::quiet_NaN(), 1, 0}};
  for (const auto& row : table) {
    CAPTURE(row.a);
    CAPTURE(row.b);
    CHECK(of_floats(row.a, row.b) == row.steps);
  }
}

TEST_CASE("distances of eight-bit floats are as counted, for every pair") {
  for (const DType dtype : {DType::kFloat8E5M2, DType::kFloat8E4M3Fn, DType::kFloat8E5M2Fnuz,
                            DType::kFloat8E4M3Fnuz, DType::kFloat8E8M0Fnu}) {
    CAPTURE(name(dtype));
    for (unsigned a = 0; a < 256; a += 3) {
      for (unsigned b = 0; b < 256; b += 5) {
        const bool finite = std::isfinite(float_value(dtype, a)) && std::isfinite(float_value(dtype, b));
        const auto found =
            max_ulp_distance(ref(make_values<std::uint8_t>(dtype, {static_cast<std::uint8_t>(a)})),
                             ref(make_values<std::uint8_t>(dtype, {static_cast<std::uint8_t>(b)})));
        if (found != (finite ? by_counting(dtype, a, b) : 0)) FAIL_CHECK(a << " and " << b << ": " << found);
      }
    }
  }
}

TEST_CASE("distances are there for one floating type only, complex ones by parts") {
  CHECK(has_ulp_distance(DType::kBFloat16, DType::kBFloat16));
  CHECK(has_ulp_distance(DType::kComplex64, DType::kComplex64));
  CHECK_FALSE(has_ulp_distance(DType::kBFloat16, DType::kFloat16));
  CHECK_FALSE(has_ulp_distance(DType::kInt32, DType::kInt32));
  CHECK(distance(make_values<std::int32_t>(DType::kInt32, {1}),
                 make_values<std::int32_t>(DType::kInt32, {5})) == 0);
  CHECK(distance(make_values<double>(DType::kFloat64, {-1e308, 1}),
                 make_values<double>(DType::kFloat64, {1e308, 1})) ==
        2 * std::bit_cast<std::uint64_t>(1e308));
  CHECK(distance(make_values<std::uint16_t>(DType::kFloat16, {0x3C00, 0x8001}),
                 make_values<std::uint16_t>(DType::kFloat16, {0x3C02, 0x0004})) == 5);
  const Case a = make_case(DType::kComplex64, {1}, bytes_of<float>({1, 1}));
  const Case b = make_case(DType::kComplex64, {1}, bytes_of<float>({1, std::nextafter(1.0F, 2.0F)}));
  CHECK(distance(a, b) == 1);
}

TEST_CASE("the largest distance is found anywhere in a tensor, in any layout") {
  std::mt19937_64 random(14);
  for (int round = 0; round < 100; ++round) {
    const std::vector<std::int64_t> shape = {static_cast<std::int64_t>(1 + random() % 300), 7,
                                             static_cast<std::int64_t>(1 + random() % 90)};
    const auto elements = random_elements(DType::kFloat32, count_of(shape), Values::kOrdinary, random);
    auto other = elements;
    const auto bit = static_cast<unsigned>(random() % 20);
    other[random() % count_of(shape) * 4 + bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    CHECK(distance(lay_out(DType::kFloat32, shape, elements, random),
                   lay_out(DType::kFloat32, shape, other, random)) == 1U << bit);
  }
}
