// Relations that were put there are found: in every type, in every layout.
#include "tensor/explain.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

#include <doctest/doctest.h>

#include "tensor/float_codes.h"
#include "tests/tensor/explain_case.h"

using namespace ckpt::tensor;

namespace {

constexpr DType kTypes[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16,
                            DType::kInt64};
constexpr DType kFloats[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16};

using Shape = std::vector<std::int64_t>;

Shape shape_with(std::size_t dims, std::mt19937_64& random) {
  Shape shape(dims);
  for (auto& size : shape) size = static_cast<std::int64_t>(4 + random() % 9);
  return shape;
}

// Where element `flat` of a permuted tensor was before.
std::size_t before(std::size_t flat, const Shape& new_shape, const Shape& old_shape,
                   const std::vector<std::size_t>& order) {
  const auto index = unravel(flat, new_shape);
  std::vector<std::int64_t> old_index(index.size());
  for (std::size_t i = 0; i < index.size(); ++i) old_index[order[i]] = index[i];
  std::int64_t at = 0;
  for (std::size_t i = 0; i < index.size(); ++i) at = at * old_shape[i] + old_index[i];
  return static_cast<std::size_t>(at);
}

Case floats(Shape shape, const std::vector<float>& values) {
  return make_case(DType::kFloat32, std::move(shape), bytes_of(values));
}

std::vector<float> sequence(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

}  // namespace

TEST_CASE("a transposed tensor is found in every type and layout, with its permutation") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 300; ++round) {
    const DType dtype = kTypes[static_cast<std::size_t>(round) % std::size(kTypes)];
    const Shape old_shape = shape_with(2 + random() % 3, random);
    std::vector<std::size_t> order(old_shape.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    while (std::ranges::is_sorted(order)) std::ranges::shuffle(order, random);
    Shape new_shape(old_shape.size());
    for (std::size_t i = 0; i < order.size(); ++i) new_shape[i] = old_shape[order[i]];
    const auto old_elements = random_elements(dtype, count_of(old_shape), Values::kOrdinary, random);
    const auto new_elements = reordered(old_elements, element_size(dtype), [&](std::size_t i) {
      return before(i, new_shape, old_shape, order);
    });
    CAPTURE(round);
    const Case a = lay_out(dtype, old_shape, old_elements, random);
    const Case b = lay_out(dtype, new_shape, new_elements, random);
    CHECK(find_transposition(ref(a), ref(b)) == order);
    auto broken = new_elements;
    broken[random() % broken.size()] ^= std::byte{1};
    CHECK_FALSE(find_transposition(ref(a), ref(lay_out(dtype, new_shape, broken, random))).has_value());
  }
}

TEST_CASE("what is no transposition, or says nothing, is none") {
  const Case wide = floats({3, 4}, sequence(12));
  const Case tall = floats({4, 3}, {1, 5, 9, 2, 6, 10, 3, 7, 11, 4, 8, 12});
  CHECK(find_transposition(ref(wide), ref(tall)) == std::vector<std::size_t>{1, 0});
  CHECK_FALSE(find_transposition(ref(wide), ref(wide)).has_value());
  CHECK_FALSE(find_transposition(ref(wide), ref(floats({4, 3}, sequence(12)))).has_value());  // reshaped
  CHECK_FALSE(
      find_transposition(ref(floats({1, 12}, sequence(12))), ref(floats({12, 1}, sequence(12)))).has_value());
  CHECK_FALSE(find_transposition(ref(floats({3, 4}, std::vector<float>(12, 2))),
                                 ref(floats({4, 3}, std::vector<float>(12, 2))))
                  .has_value());
  CHECK_FALSE(
      find_transposition(ref(floats({2, 2}, {1, 2, 3, 4})), ref(floats({2, 2}, {1, 3, 2, 4}))).has_value());
  // A dimension of one element has moved: the shapes differ, and all elements are there.
  CHECK(find_transposition(ref(floats({1, 3, 4}, sequence(12))), ref(floats({3, 1, 4}, sequence(12)))) ==
        std::vector<std::size_t>{1, 0, 2});
  CHECK_FALSE(find_transposition(ref(floats({1, 1, 2, 2, 3}, sequence(12))),
                                 ref(floats({1, 1, 2, 3, 2}, {1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12})))
                  .has_value());
}

TEST_CASE("permuted rows are found along axis 0 and axis 1, in every type and layout") {
  std::mt19937_64 random(2);
  for (int round = 0; round < 300; ++round) {
    const DType dtype = kTypes[static_cast<std::size_t>(round) % std::size(kTypes)];
    Shape shape = shape_with(1 + random() % 3, random);
    shape[0] += 6;
    const std::size_t axis = shape.size() > 1 ? random() % 2 : 0;
    const auto length = static_cast<std::size_t>(shape[axis]);
    std::vector<std::size_t> from(length);
    std::iota(from.begin(), from.end(), std::size_t{0});
    while (std::ranges::is_sorted(from)) std::ranges::shuffle(from, random);
    std::size_t inner = 1;
    for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= static_cast<std::size_t>(shape[i]);
    const auto old_elements = random_elements(dtype, count_of(shape), Values::kOrdinary, random);
    const auto new_elements = reordered(old_elements, element_size(dtype), [&](std::size_t i) {
      const std::size_t row = i / inner % length;
      return i - row * inner + from[row] * inner;
    });
    CAPTURE(round);
    const Case a = lay_out(dtype, shape, old_elements, random);
    const auto found = find_permutation(ref(a), ref(lay_out(dtype, shape, new_elements, random)));
    REQUIRE(found.has_value());
    CHECK(found->axis == axis);
    CHECK(found->length == length);
    if (shape.size() > 1 && dtype != DType::kInt64) {  // else equal rows are likely
      std::uint64_t moved = 0;
      for (std::size_t i = 0; i < length; ++i) moved += from[i] != i ? 1U : 0U;
      CHECK(found->moved == moved);
    }
    auto broken = new_elements;
    broken[random() % broken.size()] ^= std::byte{0x10};
    if (shape.size() > 1)
      CHECK_FALSE(find_permutation(ref(a), ref(lay_out(dtype, shape, broken, random))).has_value());
  }
}

TEST_CASE("equal rows are matched in order, and rows without evidence are not matched") {
  const auto column = [](const std::vector<float>& values) {
    return floats({static_cast<std::int64_t>(values.size())}, values);
  };
  const Case old_tensor = column({1, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  auto found = find_permutation(ref(old_tensor), ref(column({1, 2, 1, 3, 4, 5, 6, 7, 8, 9})));
  REQUIRE(found.has_value());
  CHECK(found->moved == 2);
  CHECK_FALSE(find_permutation(ref(old_tensor), ref(old_tensor)).has_value());
  CHECK_FALSE(find_permutation(ref(column({1, 2, 3})), ref(column({3, 2, 1}))).has_value());
  CHECK_FALSE(find_permutation(ref(column({0, 1, 0, 1, 0, 1, 0, 1, 0, 1})),
                               ref(column({1, 1, 1, 1, 1, 0, 0, 0, 0, 0})))
                  .has_value());
  // Two rows of eight different elements are enough; two of the same element are not.
  auto rows = sequence(16);
  std::rotate(rows.begin(), rows.begin() + 8, rows.end());
  found = find_permutation(ref(floats({2, 8}, sequence(16))), ref(floats({2, 8}, rows)));
  REQUIRE(found.has_value());
  CHECK(found->moved == 2);
  CHECK_FALSE(
      find_permutation(ref(floats({2, 2}, {1, 1, 2, 2})), ref(floats({2, 2}, {2, 2, 1, 1}))).has_value());
}

TEST_CASE(
    "a permutation of rows longer than one read is found, in memory or row by row, and one flipped bit is "
    "noticed") {
  const struct {
    std::size_t rows, columns;
  } sizes[] = {{9, 40'001}, {150, 60'001}};  // the second is more than is held in memory
  for (const auto& size : sizes) {
    std::vector<std::uint64_t> values(size.rows * size.columns);
    std::uint64_t state = 1;
    for (auto& value : values) value = state = state * 6364136223846793005U + 1442695040888963407U;
    const Shape shape{static_cast<std::int64_t>(size.rows), static_cast<std::int64_t>(size.columns)};
    const Case a = make_case(DType::kInt64, shape, bytes_of(values), Kind::kFile);
    const Case compressed = make_case(DType::kInt64, shape, bytes_of(values), Kind::kInflated);
    std::rotate(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(size.columns), values.end());
    const Case b = make_case(DType::kInt64, shape, bytes_of(values), Kind::kInflated);
    const auto found = find_permutation(ref(a), ref(b));
    REQUIRE(found.has_value());
    CHECK(found->moved == size.rows);
    CHECK(find_permutation(ref(compressed), ref(b)).has_value() == (size.rows == 9));
    values.back() ^= 1U;
    CHECK_FALSE(find_permutation(ref(a), ref(make_case(DType::kInt64, shape, bytes_of(values)))).has_value());
  }
}

TEST_CASE("a factor is found in every float type and layout, with its shortest digits") {
  std::mt19937_64 random(4);
  const double factors[] = {2, 0.5, -1, 0.1, 0.999, -3.25, 1.5e-3};
  for (int round = 0; round < 280; ++round) {
    const DType dtype = kFloats[static_cast<std::size_t>(round) % std::size(kFloats)];
    const double factor = factors[random() % std::size(factors)];
    if (factor == 0.999 && element_size(dtype) == 2) continue;  // that is 1 within the rounding
    const Shape shape = shape_with(1 + random() % 3, random);
    std::vector<double> old_values =
        decoded(dtype, random_elements(dtype, count_of(shape) * 4, Values::kOrdinary, random));
    old_values[1] = 0;
    old_values[2] = std::numeric_limits<double>::infinity();
    old_values[3] = std::numeric_limits<double>::quiet_NaN();
    std::vector<double> new_values = old_values;
    for (double& value : new_values)
      if (std::isfinite(value)) value *= factor;
    Shape longer = shape;
    longer[0] *= 4;
    const Case a = lay_out(dtype, longer, rounded(dtype, old_values), random);
    const auto found = find_scale(ref(a), ref(lay_out(dtype, longer, rounded(dtype, new_values), random)));
    CAPTURE(round);
    REQUIRE(found.has_value());
    const double ulp = std::ldexp(1.0, -float_codes(dtype).mantissa);
    CHECK(std::abs(*found - factor) <= 4 * ulp * std::abs(factor));
    if (dtype == DType::kFloat32) CHECK(*found == factor);
    new_values.back() *= 1 + 8 * ulp;
    CHECK_FALSE(
        find_scale(ref(a), ref(lay_out(dtype, longer, rounded(dtype, new_values), random))).has_value());
  }
}

TEST_CASE("what is no factor, or says nothing, is none") {
  const float inf = std::numeric_limits<float>::infinity();
  struct {
    std::vector<float> old_values, new_values;
    bool found;
  } const table[] = {
      {{0.3F, 0.7F, 1.1F}, {0.6F, 1.4F, 2.2F}, true},
      {{0.3F, 0.7F, 0.3F}, {0.6F, 1.4F, 0.6F}, true},     // three, of two magnitudes
      {{0.3F, 0.7F}, {0.6F, 1.4F}, false},                // two
      {{0.3F, 0.3F, -0.3F}, {0.6F, 0.6F, -0.6F}, false},  // one magnitude
      {{1, 2, 2}, {2, 4, 4}, false},                      // small numbers
      {{0.3F, 0.7F, 1.1F}, {0.3F, 0.7F, 1.1F}, false},
      {{0.3F, 0.7F, 1.1F}, {std::nextafter(0.3F, 1.0F), 0.7F, 1.1F}, false},  // 1 within the rounding
      {{0.3F, 0.7F, 1.1F, 0}, {0.6F, 1.4F, 2.2F, 0}, true},
      {{0.3F, 0.7F, 1.1F, 0}, {0.6F, 1.4F, 2.2F, 1e-30F}, false},
      {{0.3F, 0.7F, 1.1F, 0.5F}, {0.6F, 1.4F, 2.2F, 0}, false},
      {{0.3F, 0.7F, 1.1F, inf}, {0.6F, 1.4F, 2.2F, inf}, true},
      {{0.3F, 0.7F, 1.1F, inf}, {0.6F, 1.4F, 2.2F, -inf}, false},
      {{0.3F, 0.7F, 1.1F, 3e38F}, {0.6F, 1.4F, 2.2F, inf}, false},
      {{0.3F, 0.7F, 1.1F}, {0, 0, 0}, false},
  };
  for (const auto& row : table) {
    CAPTURE(row.old_values);
    CAPTURE(row.new_values);
    const auto size = static_cast<std::int64_t>(row.old_values.size());
    CHECK(find_scale(ref(floats({size}, row.old_values)), ref(floats({size}, row.new_values))).has_value() ==
          row.found);
  }
}

TEST_CASE("common rows are found where one tensor is the beginning of the other") {
  std::mt19937_64 random(5);
  for (int round = 0; round < 200; ++round) {
    const DType dtype = kTypes[static_cast<std::size_t>(round) % std::size(kTypes)];
    Shape longer = shape_with(1 + random() % 3, random);
    longer[0] += 12;
    Shape shorter = longer;
    shorter[0] -= 1 + static_cast<std::int64_t>(random() % 4);
    const auto elements = random_elements(dtype, count_of(longer), Values::kOrdinary, random);
    const std::span<const std::byte> part(elements.data(), count_of(shorter) * element_size(dtype));
    const Case a = lay_out(dtype, shorter, part, random);
    const Case b = lay_out(dtype, longer, elements, random);
    CAPTURE(round);
    CHECK(common_rows(ref(a), ref(b)) == static_cast<std::uint64_t>(shorter[0]));
    CHECK(common_rows(ref(b), ref(a)) == static_cast<std::uint64_t>(shorter[0]));
    std::vector<std::byte> broken(part.begin(), part.end());
    broken.back() ^= std::byte{1};
    CHECK_FALSE(common_rows(ref(lay_out(dtype, shorter, broken, random)), ref(b)).has_value());
  }
}

TEST_CASE("common rows need equal columns, eight elements, and not one value only") {
  CHECK(common_rows(ref(floats({2, 4}, sequence(8))), ref(floats({3, 4}, sequence(12)))) == 2U);
  CHECK(common_rows(ref(floats({1, 8}, sequence(8))), ref(floats({2, 8}, sequence(16)))) == 1U);
  CHECK_FALSE(common_rows(ref(floats({7}, sequence(7))), ref(floats({9}, sequence(9)))).has_value());
  CHECK_FALSE(common_rows(ref(floats({9}, sequence(9))), ref(floats({9}, sequence(9)))).has_value());
  CHECK_FALSE(common_rows(ref(floats({2, 6}, sequence(12))), ref(floats({3, 4}, sequence(12)))).has_value());
  CHECK_FALSE(
      common_rows(ref(floats({20}, std::vector<float>(20, 1))), ref(floats({30}, std::vector<float>(30, 1))))
          .has_value());
  CHECK_FALSE(common_rows(ref(floats({0, 4}, {})), ref(floats({3, 4}, sequence(12)))).has_value());
  CHECK_FALSE(common_rows(ref(floats({}, {1})), ref(floats({}, {1}))).has_value());
  // A first row of zeros does not hide what follows.
  std::vector<float> padded(4096, 0.0F);
  const auto tail = sequence(4096);
  padded.insert(padded.end(), tail.begin(), tail.end());
  std::vector<float> more = padded;
  more.insert(more.end(), 4096, 1.0F);
  CHECK(common_rows(ref(floats({2, 4096}, padded)), ref(floats({3, 4096}, more))) == 2U);
}
