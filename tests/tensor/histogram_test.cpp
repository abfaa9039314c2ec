#include "tensor/histogram.h"

#include <cmath>
#include <limits>
#include <random>

#include <doctest/doctest.h>

#include "base/error.h"
#include "tensor/dtype.h"
#include "tests/tensor/naive.h"
#include "tests/tensor/tensor_case.h"

using namespace ckpt;
using namespace ckpt::tensor;

namespace {

// One element after the other, by frexp instead of bits.
Histogram naive(const std::vector<double>& values) {
  constexpr int kBins = kMostExponent - kLeastExponent + 1;
  std::vector<std::uint64_t> positive(kBins), negative(kBins);
  Histogram out;
  for (const double value : values) {
    if (std::isnan(value)) {
      ++out.nan;
    } else if (std::isinf(value)) {
      ++(value > 0 ? out.posinf : out.neginf);
    } else if (value == 0) {
      ++out.zeros;
    } else {
      int exponent = 0;
      std::frexp(value, &exponent);  // a fraction in [0.5, 1)
      const int bin = std::min(std::max(exponent - 1, kLeastExponent), kMostExponent) - kLeastExponent;
      ++(value > 0 ? positive : negative)[static_cast<std::size_t>(bin)];
    }
  }
  std::size_t first = 0, last = kBins;
  while (first < last && positive[first] + negative[first] == 0) ++first;
  while (last > first && positive[last - 1] + negative[last - 1] == 0) --last;
  if (first < last) out.exponent = kLeastExponent + static_cast<int>(first);
  out.positive.assign(positive.begin() + static_cast<long>(first),
                      positive.begin() + static_cast<long>(last));
  out.negative.assign(negative.begin() + static_cast<long>(first),
                      negative.begin() + static_cast<long>(last));
  return out;
}

double modulus(const NaiveValue& value) {
  if (std::isnan(value.real) || std::isnan(value.imag)) return std::nan("");
  return static_cast<double>(std::hypot(value.real, value.imag));
}

std::vector<double> doubles(DType dtype, const std::vector<NaiveValue>& values) {
  std::vector<double> out;
  for (const NaiveValue& value : values)
    out.push_back(dtype_class(dtype) == DTypeClass::kComplex ? modulus(value)
                                                             : static_cast<double>(value.real));
  return out;
}

Histogram histogram(const Case& tensor, std::size_t jobs = 1) {
  const StatsJob job{&tensor.view, &tensor.storage};
  return compute_histograms(std::span(&job, 1), jobs).front();
}

Histogram histogram(const Case& before, const Case& after, std::size_t jobs = 1) {
  const DeltaJob job{{&before.view, &before.storage}, {&after.view, &after.storage}, {}};
  return compute_histograms(std::span(&job, 1), jobs).front();
}

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("a histogram counts what a count one by one gives, for every type and any view") {
  std::mt19937_64 random(7);
  for (const DType dtype : {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBFloat16,
                            DType::kFloat8E5M2, DType::kInt8, DType::kUInt8, DType::kInt16, DType::kInt32,
                            DType::kInt64, DType::kUInt64, DType::kBool, DType::kComplex32})
    for (int round = 0; round < 6; ++round) {
      CAPTURE(name(dtype));
      const RandomCase random_case = make_random(dtype, random_shape(random), Kind::kMemory, random);
      const auto elements = naive_elements(random_case.tensor, random_case.bytes);
      CHECK(histogram(random_case.tensor) == naive(doubles(dtype, naive_values(dtype, elements))));
    }
}

TEST_CASE("zeros, NaN and infinities are apart, and magnitudes beyond the scale are in its last bins") {
  const Histogram h =
      histogram(make_values<double>(DType::kFloat64, {0.0, -0.0, kNaN, -kNaN, kInf, -kInf, -kInf, 1e-300,
                                                      -5e-324, 1e300, 1.0, 1.999, 2.0}));
  CHECK(h.zeros == 2);
  CHECK(h.nan == 2);
  CHECK(h.posinf == 1);
  CHECK(h.neginf == 2);
  CHECK(h.exponent == kLeastExponent);
  REQUIRE(h.positive.size() == 128);
  CHECK(h.positive.front() == 1);
  CHECK(h.negative.front() == 1);
  CHECK(h.positive.back() == 1);
  CHECK(h.positive[64] == 2);  // 1 <= x < 2
  CHECK(h.positive[65] == 1);
}

TEST_CASE("a histogram of differences counts new - old, and equal elements as zeros") {
  const Case before = make_values<float>(DType::kFloat32, {1, 1, 1, 0, NAN, NAN, INFINITY, INFINITY, 3});
  const Case after = make_values<float>(DType::kFloat32, {1, 1.5, 0.5, 8, NAN, 1, INFINITY, 1, INFINITY});
  CHECK(histogram(before, after) == naive({0, 0.5, -0.5, 8, 0, kNaN, 0, -kInf, kInf}));
}

TEST_CASE("differences of large integers are exact") {
  constexpr std::int64_t kBig = std::int64_t{1} << 62;
  const Case before = make_values<std::int64_t>(DType::kInt64, {kBig, kBig, -kBig, 5});
  const Case after = make_values<std::int64_t>(DType::kInt64, {kBig + 1, kBig - 4, kBig, 5});
  CHECK(histogram(before, after) == naive({1, -4, std::ldexp(1.0, 63), 0}));
}

TEST_CASE("differences between two types are those of their values") {
  const Case before = make_values<float>(DType::kFloat32, {1, 2, 3});
  const Case after = make_values<double>(DType::kFloat64, {1, 2.25, 2});
  CHECK(histogram(before, after) == naive({0, 0.25, -1}));
}

TEST_CASE("repeated elements are counted, not walked") {
  const std::vector<float> one = {2.5F};
  const Case expanded = make_strided(DType::kFloat32, {1 << 20, 1 << 20}, {0, 0}, 0, bytes_of(one));
  const Histogram h = histogram(expanded);
  CHECK(h.exponent == 1);
  CHECK(h.positive == std::vector<std::uint64_t>{std::uint64_t{1} << 40});
}

TEST_CASE("a histogram does not depend on the number of threads") {
  std::mt19937_64 random(3);
  std::vector<float> values(3'000'000);
  std::normal_distribution<float> normal;
  for (float& value : values) value = normal(random);
  values[5] = NAN;
  const Case tensor = make_values(DType::kFloat32, values);
  const Histogram one = histogram(tensor, 1);
  CHECK(one == histogram(tensor, 4));
  std::uint64_t sum = one.nan + one.zeros;
  for (std::size_t i = 0; i < one.positive.size(); ++i) sum += one.positive[i] + one.negative[i];
  CHECK(sum == values.size());
  const Case other = make_values(DType::kFloat32, std::vector<float>(values.rbegin(), values.rend()));
  CHECK(histogram(tensor, other, 1) == histogram(tensor, other, 3));
}

TEST_CASE("nothing has an empty histogram") {
  CHECK(histogram(make_values<float>(DType::kFloat32, {})) == Histogram{});
  CHECK(compute_histograms(std::span<const StatsJob>(), 2).empty());
}
