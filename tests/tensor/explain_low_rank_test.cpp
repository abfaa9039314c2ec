#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "tensor/explain.h"
#include "tests/tensor/explain_case.h"

using namespace ckpt::tensor;

namespace {

struct Sizes {
  std::size_t out, in, rank;
};

std::vector<double> product(const std::vector<double>& b, const std::vector<double>& a, const Sizes& sizes) {
  std::vector<double> result(sizes.out * sizes.in, 0.0);
  for (std::size_t i = 0; i < sizes.out; ++i)
    for (std::size_t k = 0; k < sizes.rank; ++k)
      for (std::size_t j = 0; j < sizes.in; ++j)
        result[i * sizes.in + j] += b[i * sizes.rank + k] * a[k * sizes.in + j];
  return result;
}

std::vector<double> round_to_type(DType dtype, const std::vector<double>& values) {
  return decoded(dtype, rounded(dtype, values));
}

std::vector<std::int64_t> shape(std::size_t rows, std::size_t columns) {
  return {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)};
}

struct Merge {
  Case old_tensor, new_tensor, a, b;
  std::vector<std::byte> new_elements;

  std::optional<LowRankUpdate> found() const {
    return find_low_rank_update(ref(old_tensor), ref(new_tensor), ref(a), ref(b));
  }
};

// As a merge of an adapter computes it: the product in the adapter's type, rounded,
// scaled, rounded, added, rounded.
Merge merge(DType weights, DType adapter, const Sizes& sizes, double scale, std::mt19937_64& random) {
  const auto ordinary = [&](DType dtype, std::size_t count) {
    return random_elements(dtype, count, Values::kOrdinary, random);
  };
  const auto old_elements = ordinary(weights, sizes.out * sizes.in);
  const auto a = ordinary(adapter, sizes.rank * sizes.in);
  const auto b = ordinary(adapter, sizes.out * sizes.rank);
  auto update = round_to_type(adapter, product(decoded(adapter, b), decoded(adapter, a), sizes));
  for (double& value : update) value *= scale;
  update = round_to_type(weights, round_to_type(adapter, update));
  auto sum = decoded(weights, old_elements);
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += update[i];
  Merge made;
  made.new_elements = rounded(weights, sum);
  made.old_tensor = lay_out(weights, shape(sizes.out, sizes.in), old_elements, random);
  made.new_tensor = lay_out(weights, shape(sizes.out, sizes.in), made.new_elements, random);
  made.a = lay_out(adapter, shape(sizes.rank, sizes.in), a, random);
  made.b = lay_out(adapter, shape(sizes.out, sizes.rank), b, random);
  return made;
}

constexpr DType kFloats[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16};

}  // namespace

TEST_CASE("a merged low-rank adapter is found, with its rank and its scale") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 96; ++round) {
    const DType weights = kFloats[static_cast<std::size_t>(round) % 4];
    const DType adapter = kFloats[static_cast<std::size_t>(round) / 4 % 4];
    const Sizes sizes{8 + random() % 60, 8 + random() % 90, 1 + random() % 8};
    const double scale = round % 3 == 0 ? 2 : round % 3 == 1 ? 0.25 : -1;
    CAPTURE(round);
    CAPTURE(name(weights));
    CAPTURE(name(adapter));
    Merge made = merge(weights, adapter, sizes, scale, random);
    const auto found = made.found();
    REQUIRE(found.has_value());
    CHECK(found->rank == sizes.rank);
    CHECK(found->scale == doctest::Approx(scale).epsilon(1e-3));
    if (element_size(weights) >= 4 && element_size(adapter) >= 4) CHECK(found->scale == scale);
    // One element that does not fit.
    auto values = decoded(weights, made.new_elements);
    values[random() % values.size()] += 1;
    made.new_tensor = lay_out(weights, shape(sizes.out, sizes.in), rounded(weights, values), random);
    CHECK_FALSE(made.found().has_value());
  }
}

TEST_CASE("what is no low-rank update, or says nothing, is none") {
  std::mt19937_64 random(8);
  const Sizes sizes{12, 10, 3};
  const Merge made = merge(DType::kFloat32, DType::kFloat32, sizes, 0.5, random);
  REQUIRE(made.found().has_value());
  CHECK(made.found()->scale == 0.5);
  const auto with = [&](auto change) {
    Merge other = made;
    change(other);
    return other.found().has_value();
  };
  const auto floats = [](std::size_t rows, std::size_t columns, float value) {
    return make_case(DType::kFloat32, shape(rows, columns),
                     bytes_of(std::vector<float>(rows * columns, value)));
  };
  CHECK_FALSE(with([](Merge& other) { other.new_tensor = other.old_tensor; }));
  CHECK_FALSE(with([](Merge& other) { std::swap(other.a, other.b); }));
  CHECK_FALSE(with([&](Merge& other) { other.a = floats(3, 10, 0); }));
  CHECK_FALSE(with([&](Merge& other) { other.a = floats(3, 10, 1); }));
  CHECK_FALSE(with([&](Merge& other) { other.b = floats(12, 3, std::numeric_limits<float>::quiet_NaN()); }));
  CHECK_FALSE(with([&](Merge& other) { other.b = floats(12, 2, 1); }));
  CHECK_FALSE(with([&](Merge& other) { other.b = floats(0, 3, 1); }));
  // A scale can be fitted to any single element.
  CHECK_FALSE(find_low_rank_update(ref(floats(1, 1, 1)), ref(floats(1, 1, 3)), ref(floats(1, 1, 5)),
                                   ref(floats(1, 1, 7)))
                  .has_value());
  // An update below the rounding of the weights cannot be seen.
  CHECK_FALSE(find_low_rank_update(ref(floats(9, 9, 1)), ref(floats(9, 9, 1)), ref(floats(1, 9, 1e-9F)),
                                   ref(floats(9, 1, 1)))
                  .has_value());
}

TEST_CASE("a low-rank update of more rows than are computed at once is found") {
  std::mt19937_64 random(9);
  const Merge made = merge(DType::kFloat32, DType::kFloat32, {300, 500, 4}, 1.5, random);
  REQUIRE(made.found().has_value());
  CHECK(made.found()->scale == 1.5);
}
