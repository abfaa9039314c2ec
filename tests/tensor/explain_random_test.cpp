// Pairs that have nothing to do with each other are not explained.
#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "tensor/explain.h"
#include "tensor/float_codes.h"
#include "tests/tensor/explain_case.h"

using namespace ckpt::tensor;

namespace {

constexpr DType kTypes[] = {DType::kFloat32,      DType::kFloat64,    DType::kFloat16,   DType::kBFloat16,
                            DType::kFloat8E4M3Fn, DType::kFloat8E5M2, DType::kComplex64, DType::kInt8,
                            DType::kUInt8,        DType::kInt32,      DType::kInt64,     DType::kBool};

using Shape = std::vector<std::int64_t>;

const std::vector<Shape>& tiny_shapes() {
  static const std::vector<Shape> shapes = {{},     {0},    {1},    {2},    {3},       {2, 2},      {1, 5},
                                            {5, 1}, {3, 3}, {2, 4}, {4, 2}, {2, 3, 2}, {1, 4, 1},   {3, 3, 3},
                                            {16},   {4, 4}, {8, 3}, {0, 3}, {40},      {2, 2, 2, 2}};
  return shapes;
}

Shape any_shape(std::mt19937_64& random) {
  if (random() % 4 == 0) return random_shape(random);
  return tiny_shapes()[random() % tiny_shapes().size()];
}

// Equal, with the dimensions in another order, or another first dimension.
Shape related_shape(Shape shape, std::mt19937_64& random) {
  if (random() % 3 == 0) std::ranges::shuffle(shape, random);
  if (random() % 3 == 0 && !shape.empty()) shape[0] += 1 + static_cast<std::int64_t>(random() % 3);
  return shape;
}

Case any_tensor(DType dtype, const Shape& shape, Values values, std::mt19937_64& random) {
  return lay_out(dtype, shape, random_elements(dtype, count_of(shape), values, random), random);
}

// The values of a cast are near each other, whatever rounds how.
bool is_near(DType from, DType to, std::span<const std::byte> old_elements,
             std::span<const std::byte> new_elements) {
  const auto old_values = decoded(from, old_elements);
  const auto new_values = decoded(to, new_elements);
  for (std::size_t i = 0; i < old_values.size(); ++i) {
    const double a = old_values[i];
    const double b = new_values[i];
    if (std::isnan(a) && std::isnan(b)) continue;
    if (!has_float_codes(to)) {
      if (a != b) return false;
      continue;
    }
    const double ulp =
        std::max(std::ldexp(std::abs(a), -float_codes(to).mantissa), std::ldexp(1.0, float_codes(to).least));
    const double largest = float_value(to, float_codes(to).largest);
    if (std::abs(a) > largest ? !std::isfinite(b) || std::abs(b) == largest : std::abs(a - b) <= ulp)
      continue;
    return false;
  }
  return true;
}

}  // namespace

TEST_CASE("no explanation is found for tensors that are not related") {
  std::mt19937_64 random(10);
  int pairs = 0;
  for (int round = 0; round < 2000; ++round) {
    const DType dtype = kTypes[random() % std::size(kTypes)];
    const Shape shape = any_shape(random);
    const Shape other = related_shape(shape, random);
    const auto old_kind = static_cast<Values>(random() % 5);
    const auto new_kind = random() % 2 == 0 ? old_kind : static_cast<Values>(random() % 5);
    const Case a = any_tensor(dtype, shape, old_kind, random);
    const Case b = any_tensor(dtype, other, new_kind, random);
    CAPTURE(round);
    CAPTURE(name(dtype));
    CHECK_FALSE(find_transposition(ref(a), ref(b)).has_value());
    CHECK_FALSE(find_permutation(ref(a), ref(b)).has_value());
    CHECK_FALSE(find_scale(ref(a), ref(b)).has_value());
    CHECK_FALSE(common_rows(ref(a), ref(b)).has_value());
    CHECK_FALSE(is_cast(ref(a), ref(b)));
    ++pairs;
  }
  CHECK(pairs == 2000);
}

TEST_CASE("a tensor is not explained by itself") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 500; ++round) {
    const DType dtype = kTypes[random() % std::size(kTypes)];
    const Shape shape = any_shape(random);
    const auto elements = random_elements(dtype, count_of(shape), static_cast<Values>(random() % 5), random);
    const Case a = lay_out(dtype, shape, elements, random);
    const Case b = lay_out(dtype, shape, elements, random);
    CAPTURE(round);
    CHECK_FALSE(find_transposition(ref(a), ref(b)).has_value());
    CHECK_FALSE(find_permutation(ref(a), ref(b)).has_value());
    CHECK_FALSE(find_scale(ref(a), ref(b)).has_value());
    CHECK_FALSE(common_rows(ref(a), ref(b)).has_value());
    CHECK_FALSE(is_cast(ref(a), ref(b)));
  }
}

TEST_CASE("what is called a cast is near in every element") {
  std::mt19937_64 random(12);
  int found = 0;
  for (int round = 0; round < 2000; ++round) {
    const DType from = kTypes[random() % std::size(kTypes)];
    const DType to = kTypes[random() % std::size(kTypes)];
    if (from == to || from == DType::kComplex64 || to == DType::kComplex64) continue;
    const Shape shape = any_shape(random);
    const auto values = static_cast<Values>(random() % 5);
    const auto old_elements = random_elements(from, count_of(shape), values, random);
    const auto new_elements = random_elements(to, count_of(shape), values, random);
    CAPTURE(round);
    if (!is_cast(ref(lay_out(from, shape, old_elements, random)),
                 ref(lay_out(to, shape, new_elements, random))))
      continue;
    CHECK(is_near(from, to, old_elements, new_elements));
    ++found;
  }
  CHECK(found > 0);  // zeros are zeros in every type
}

TEST_CASE("no low-rank update is found for matrices that are not related") {
  std::mt19937_64 random(13);
  constexpr DType kFloats[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16,
                               DType::kFloat8E4M3Fn};
  for (int round = 0; round < 1000; ++round) {
    const auto size = [&] { return static_cast<std::int64_t>(1 + random() % 5); };
    const Shape shape = {size(), size()};
    const std::int64_t rank = size();
    const auto tensor = [&](const Shape& of) {
      return any_tensor(kFloats[random() % std::size(kFloats)], of, static_cast<Values>(random() % 5),
                        random);
    };
    const Case old_tensor = tensor(shape);
    const Case new_tensor = random() % 4 == 0 ? old_tensor : tensor(shape);
    CAPTURE(round);
    CHECK_FALSE(find_low_rank_update(ref(old_tensor), ref(new_tensor), ref(tensor({rank, shape[1]})),
                                     ref(tensor({shape[0], rank})))
                    .has_value());
  }
}
