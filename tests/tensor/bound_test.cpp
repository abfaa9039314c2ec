// Bounds of one tensor on another.
#include "tensor/bound.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "tensor/low_bits.h"
#include "tests/tensor/tensor_case.h"

using namespace ckpt::tensor;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

StatsJob job(const Case& tensor) { return {&tensor.view, &tensor.storage}; }

Beyond beyond(const Case& value, const Case& limit, const Bound& bound) {
  const BoundJob todo[] = {{job(value), job(limit), bound}};
  return find_beyond_all(todo, 1).front();
}

Case floats(const std::vector<float>& values) { return make_values(DType::kFloat32, values); }

}  // namespace

TEST_CASE("elements beyond a bound are counted, and the first is shown") {
  const auto value = floats({1, -2, 3, -4}), limit = floats({1, 1, 1, 1});
  const auto linear = beyond(value, limit, {.factor = 2});
  CHECK(linear.numel == 4);
  CHECK(linear.count == 2);
  CHECK(linear.first == 2U);
  CHECK(linear.value == 3);
  CHECK(linear.limit == 1);
  CHECK(beyond(value, limit, {.factor = 4}).count == 0);
  CHECK(beyond(value, limit, {.factor = 1, .floor = 2}).count == 1);
}

TEST_CASE("either side of a bound may be squared") {
  const auto value = floats({0.5F, -3}), limit = floats({4, 4});
  CHECK(beyond(value, limit, {.factor = 2, .square_value = true}).count == 1);    // 9 > 8
  CHECK(beyond(value, limit, {.factor = 0.1, .square_limit = true}).count == 1);  // 3 > 1.6
}

TEST_CASE("a NaN is never beyond a bound, an infinity is") {
  const auto value = floats({kNan, 1, INFINITY}), limit = floats({1, kNan, 1});
  const auto found = beyond(value, limit, {});
  CHECK(found.count == 1);
  CHECK(found.first == 2U);
}

TEST_CASE("a bound holds between dtypes, layouts and segments") {
  constexpr std::size_t kSize = (2U << 20) + 5;
  std::vector<float> values(kSize, 1);
  std::vector<double> limits(kSize, 1);
  values[kSize - 2] = 3;
  values[7] = -2;
  const auto a = floats(values);
  const auto b = make_values(DType::kFloat64, limits);
  const BoundJob todo[] = {{job(a), job(b), {}}};
  for (const std::size_t jobs : {1U, 3U}) {
    const auto found = find_beyond_all(todo, jobs).front();
    CHECK(found.numel == kSize);
    CHECK(found.count == 2);
    CHECK(found.first == 7U);
    CHECK(found.value == -2);
  }
  // Of a row that is repeated, each logical element counts.
  const auto row = make_strided(DType::kFloat32, {3, 2}, {0, 1}, 0, bytes_of(std::vector<float>{1, 5}));
  const auto found =
      beyond(row, make_strided(DType::kFloat32, {3, 2}, {0, 1}, 0, bytes_of(std::vector<float>{2, 2})), {});
  CHECK(found.count == 3);
  CHECK(found.first == 1U);
}

TEST_CASE("low bits that no element uses tell a rounded tensor") {
  const auto rounded = [](int bits, float value) {
    std::uint32_t code = 0;
    std::memcpy(&code, &value, sizeof code);
    code &= ~((1U << bits) - 1);
    std::memcpy(&value, &code, sizeof code);
    return value;
  };
  std::vector<float> exact, bfloat, half;
  for (int i = 1; i < 5000; ++i) {
    const float value = std::sin(static_cast<float>(i));
    exact.push_back(value);
    bfloat.push_back(rounded(16, value));
    half.push_back(rounded(13, value));
  }
  CHECK(find_low_bits(job(floats(exact)), 13).unused < 13);
  CHECK(find_low_bits(job(floats(bfloat)), 13).unused == 16);
  CHECK(find_low_bits(job(floats(bfloat)), 13).telling > 4900);
  CHECK(find_low_bits(job(floats(half)), 13).unused == 13);
  const auto plain = find_low_bits(job(floats({0, 1, -2, 0.25F})), 13);
  CHECK(plain.unused == 23);
  CHECK(plain.telling == 0);
}
