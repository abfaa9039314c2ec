#include <doctest/doctest.h>

#include "tensor/layout.h"
#include "tests/tensor/tensor_case.h"

using namespace ckpt;
using namespace ckpt::tensor;

namespace {

TensorView view_of(std::vector<std::int64_t> shape, std::vector<std::int64_t> strides,
                   std::uint64_t offset = 0) {
  TensorView view;
  view.shape = std::move(shape);
  view.strides = std::move(strides);
  view.storage_offset = offset;
  return view;
}

using Shape = std::vector<std::int64_t>;
constexpr std::int64_t kHuge = std::int64_t{1} << 62;

}  // namespace

TEST_CASE("the number of elements is the product of the sizes, or nothing where that overflows") {
  CHECK(checked_numel(Shape{}) == 1U);
  CHECK(checked_numel(Shape{2, 3}) == 6U);
  CHECK(checked_numel(Shape{kHuge, kHuge, 0}) == 0U);
  CHECK_FALSE(checked_numel(Shape{2, -1}).has_value());
  CHECK_FALSE(checked_numel(Shape{0, -1}).has_value());
  CHECK_FALSE(checked_numel(Shape{std::int64_t{1} << 32, std::int64_t{1} << 32}).has_value());
  CHECK_FALSE(checked_numel(Shape{std::int64_t{1} << 33, std::int64_t{1} << 31}).has_value());
}

TEST_CASE("the extent of a view ends behind the last element that it touches") {
  CHECK(checked_extent(view_of({}, {}, 4)) == 5U);
  CHECK(checked_extent(view_of({2, 3}, {3, 1})) == 6U);
  CHECK(checked_extent(view_of({2, 3}, {1, 10}, 7)) == 29U);
  CHECK(checked_extent(view_of({5, 2}, {0, 1})) == 2U);
  CHECK(checked_extent(view_of({0, 3}, {kHuge, kHuge}, 100)) == 0U);
  CHECK(checked_extent(view_of({1}, {100})) == 1U);
  CHECK_FALSE(checked_extent(view_of({2}, {-1}, 5)).has_value());
  CHECK_FALSE(checked_extent(view_of({3, 3}, {kHuge, kHuge}, 1)).has_value());
  CHECK_FALSE(checked_extent(view_of({2}, {})).has_value());
}

TEST_CASE(
    "packed elements need bytes rounded up, and an impossible number of elements needs all bytes there are") {
  CHECK(bytes_for_elements(DType::kFloat32, 3) == 12);
  CHECK(bytes_for_elements(DType::kQUInt4x2, 3) == 2);
  CHECK(bytes_for_elements(DType::kQUInt2x4, 4) == 1);
  CHECK(bytes_for_elements(DType::kQUInt2x4, 5) == 2);
  CHECK(bytes_for_elements(DType::kFloat64, ~std::uint64_t{0}) == ~std::uint64_t{0});
}

TEST_CASE("a view is contiguous in C order whatever the strides of its dimensions of size 1") {
  CHECK(is_contiguous(view_of({}, {})));
  CHECK(is_contiguous(view_of({2, 3}, {3, 1})));
  CHECK(is_contiguous(view_of({2, 1, 3}, {3, 100, 1})));
  CHECK(is_contiguous(view_of({0, 3}, {7, 7})));
  CHECK_FALSE(is_contiguous(view_of({2, 3}, {1, 2})));
  CHECK_FALSE(is_contiguous(view_of({2, 3}, {0, 1})));
}

TEST_CASE("a flat index is written as the index of every dimension") {
  CHECK(format_index(0, Shape{}) == "[]");
  CHECK(format_index(27, Shape{4, 10}) == "[2, 7]");
  CHECK(format_index(5, Shape{2, 1, 3}) == "[1, 0, 2]");
}

TEST_CASE("dimensions along which all elements are equal are counted, not walked") {
  const Case tensor =
      make_strided(DType::kFloat32, {1 << 20, 3, 1 << 20, 2}, {0, 2, 0, 1}, 0, std::vector<std::byte>(24));
  const Plan plan = plan_view(tensor.view, tensor.storage);
  CHECK(plan.grid.count == 6);
  CHECK(plan.grid.copies == std::uint64_t{1} << 40);
  CHECK(plan.layout.contiguous());
  CHECK(plan.grid.logical_index(0) == 0);
  CHECK(plan.grid.logical_index(1) == 1);
  CHECK(plan.grid.logical_index(3) == (std::uint64_t{1} << 21) + 1);
}
