#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "base/error.h"
#include "tensor/engine.h"
#include "tests/tensor/naive.h"
#include "tests/tensor/oracle_numbers.h"
#include "tests/tensor/tensor_case.h"

using namespace ckpt;
using namespace ckpt::tensor;

namespace {

Delta delta_of(const Case& old_tensor, const Case& new_tensor, const Tolerance& tolerance = {}) {
  return compute_delta(old_tensor.view, old_tensor.storage, new_tensor.view, new_tensor.storage, tolerance);
}

Delta delta_with(const Case& old_tensor, const Case& new_tensor, std::size_t jobs, const Tuning& tuning) {
  const DeltaJob job{
      {&old_tensor.view, &old_tensor.storage}, {&new_tensor.view, &new_tensor.storage}, {1e-3, 1e-6}};
  return compute_delta_all({&job, 1}, jobs, tuning).front();
}

Delta delta_of_floats(const std::vector<float>& old_values, const std::vector<float>& new_values) {
  return delta_of(make_values(DType::kFloat32, old_values), make_values(DType::kFloat32, new_values));
}

constexpr float kNanF = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfF = std::numeric_limits<float>::infinity();
constexpr DType kTypes[] = {DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kFloat8E4M3Fn,
                            DType::kInt8,    DType::kUInt8,   DType::kInt32,    DType::kInt64,
                            DType::kUInt64,  DType::kBool,    DType::kComplex64};

}  // namespace

TEST_CASE("a pair is close exactly where torch.isclose says so") {
  for (const CloseRow& row : kClose) {
    CAPTURE(row.old_value);
    CAPTURE(row.new_value);
    CAPTURE(row.rtol);
    CAPTURE(row.atol);
    // Padded with equal elements: once alone and once in a chunk with a NaN beside it.
    const Tolerance tolerance{row.rtol, row.atol};
    const Delta alone = delta_of(make_values<double>(DType::kFloat64, {row.old_value}),
                                 make_values<double>(DType::kFloat64, {row.new_value}), tolerance);
    const Delta beside = delta_of(make_values<double>(DType::kFloat64, {kNaN, row.old_value}),
                                  make_values<double>(DType::kFloat64, {kNaN, row.new_value}), tolerance);
    CHECK(alone.differing == (row.close ? 0U : 1U));
    CHECK(beside.differing == alone.differing);
  }
}

TEST_CASE("non-finite pairs differ unless both are NaN or the same infinity") {
  struct {
    float old_value, new_value;
    bool equal;
  } const table[] = {{kNanF, kNanF, true}, {kNanF, 1, false},      {1, kNanF, false},
                     {kInfF, kInfF, true}, {-kInfF, -kInfF, true}, {kInfF, -kInfF, false},
                     {kInfF, 1, false},    {1, -kInfF, false},     {kNanF, kInfF, false}};
  for (const auto& row : table) {
    CAPTURE(row.old_value);
    CAPTURE(row.new_value);
    const Delta delta = delta_of_floats({1, 2, row.old_value, 3}, {1, 2.5F, row.new_value, 3});
    CHECK(delta.changed == (row.equal ? 1U : 2U));
    CHECK(delta.differing == delta.changed);
    CHECK(delta.max_abs == (row.equal ? 0.5 : kInf));
    CHECK(delta.max_abs_index == (row.equal ? 1U : 2U));
    CHECK(delta.nan_old == (std::isnan(row.old_value) ? 1U : 0U));
    CHECK(delta.nan_new == (std::isnan(row.new_value) ? 1U : 0U));
    CHECK(delta.inf_old == (std::isinf(row.old_value) ? 1U : 0U));
    CHECK(delta.inf_new == (std::isinf(row.new_value) ? 1U : 0U));
    // Means and norms are over the three pairs of finite elements.
    CHECK(delta.mean_abs == doctest::Approx(0.5 / 3).epsilon(1e-15));
    CHECK(delta.rms == doctest::Approx(std::sqrt(0.25 / 3)).epsilon(1e-15));
    CHECK(delta.rel_l2 == doctest::Approx(0.5 / std::sqrt(14.0)).epsilon(1e-15));
  }
}

TEST_CASE("two NaNs differ where that is asked for, even in equal bytes") {
  const Tolerance strict{.rtol = 0.5, .atol = 1, .nan_equal = false};
  const Case floats = make_values<float>(DType::kFloat32, {1, kNanF, 2, kNanF, kInfF});
  Delta delta = delta_of(floats, floats, strict);
  CHECK(delta.differing == 2);
  CHECK(delta.changed == 2);
  CHECK(delta.max_abs == kInf);
  CHECK(delta.max_abs_index == 1U);
  CHECK(delta.same_bytes);
  CHECK(delta_of(floats, floats).changed == 0);
  const Case halves = make_values<std::uint16_t>(DType::kFloat16, {0x7E00, 0x3C00});
  CHECK(delta_of(halves, halves, strict).changed == 1);
  CHECK(delta_of(halves, make_values<float>(DType::kFloat32, {kNanF, 1}), strict).changed == 1);
  const Case complex = make_case(DType::kComplex64, {2}, bytes_of<float>({kNanF, 1, 2, 3}));
  CHECK(delta_of(complex, complex, strict).changed == 1);
  CHECK(delta_of(complex, complex).changed == 0);
}

TEST_CASE("the first of several non-finite differences is the largest") {
  const Delta delta = delta_of_floats({1, kNanF, 2, kInfF}, {5, 0, 2, 0});
  CHECK(delta.max_abs_index == 1U);
  CHECK(delta.differing == 3);
}

TEST_CASE("0 and -0 are equal values but not the same bytes") {
  const Delta delta = delta_of_floats({0, 1}, {-0.0F, 1});
  CHECK(delta.changed == 0);
  CHECK_FALSE(delta.same_bytes);
  CHECK_FALSE(delta.max_abs_index.has_value());
  CHECK(delta.cosine == 1);
  CHECK(delta_of_floats({0, kNanF}, {0, kNanF}).same_bytes);
}

TEST_CASE("relative norm and cosine have values at zero") {
  struct {
    std::vector<float> old_values, new_values;
    double rel_l2, cosine;
  } const table[] = {{{0, 0}, {0, 0}, 0, 1},    {{0, 0}, {1, 0}, kInf, 0},
                     {{3, 4}, {0, 0}, 1, 0},    {{1, 0}, {0, 1}, std::sqrt(2.0), 0},
                     {{1, 2}, {-1, -2}, 2, -1}, {{1, 2}, {2, 4}, 1, 1}};
  for (const auto& row : table) {
    const Delta delta = delta_of_floats(row.old_values, row.new_values);
    CHECK((delta.rel_l2 == row.rel_l2 ||
           delta.rel_l2 == doctest::Approx(row.rel_l2)));  // Approx knows no infinity
    CHECK(delta.cosine == doctest::Approx(row.cosine).epsilon(1e-15));
  }
}

TEST_CASE("the cosine of nearly equal tensors keeps the digits of 1 - cos") {
  std::vector<double> old_values(10'000, 1.0);
  std::vector<double> new_values(old_values);
  new_values[4321] += 1e-6;
  const Delta delta =
      delta_of(make_values(DType::kFloat64, old_values), make_values(DType::kFloat64, new_values));
  CHECK(delta.cosine <= 1);
  CHECK(delta.cosine == doctest::Approx(1).epsilon(1e-15));
  CHECK(delta.max_abs_index == 4321U);
}

TEST_CASE("64-bit integers are compared exactly and their difference does not wrap") {
  constexpr std::int64_t kLow = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kHigh = std::numeric_limits<std::int64_t>::max();
  const auto ints = [](std::vector<std::int64_t> values) { return make_values(DType::kInt64, values); };
  Delta delta = delta_of(ints({kLow, kHigh}), ints({kHigh, kLow}));
  CHECK(delta.max_abs == 0x1p64);
  CHECK(delta.max_abs_index == 0U);
  CHECK(delta.differing == 2);
  // 2^60 and 2^60 + 1 are one double; the larger of two such differences is found all the same.
  delta = delta_of(ints({0, 0, 0}), ints({std::int64_t{1} << 60, (std::int64_t{1} << 60) + 1, 5}));
  CHECK(delta.max_abs_index == 1U);
  delta = delta_of(ints({std::int64_t{1} << 60}), ints({(std::int64_t{1} << 60) + 1}));
  CHECK(delta.changed == 1);
  CHECK(delta.max_abs == 1);
  const Case wide = make_values<std::uint64_t>(DType::kUInt64, {~std::uint64_t{0}, 7});
  delta = delta_of(ints({-1, 7}), wide);
  CHECK(delta.differing == 1);
  CHECK(delta.max_abs == 0x1p64);
  CHECK(delta_of(ints({5}), make_values<std::uint8_t>(DType::kUInt8, {5})).differing == 0);
}

TEST_CASE("different types are compared by value, and are never the same bytes") {
  const Case floats = make_values<float>(DType::kFloat32, {1, 2.5F, -3});
  const Case doubles = make_values<double>(DType::kFloat64, {1, 2.5, -3});
  const Case halves = make_values<std::uint16_t>(DType::kFloat16, {0x3C00, 0x4100, 0xC200});
  const Case complex = make_case(DType::kComplex64, {3}, bytes_of<float>({1, 0, 2.5F, 0, -3, 4}));
  CHECK(delta_of(floats, doubles).differing == 0);
  CHECK_FALSE(delta_of(floats, doubles).same_bytes);
  CHECK(delta_of(halves, doubles).differing == 0);
  const Delta delta = delta_of(doubles, complex);
  CHECK(delta.differing == 1);
  CHECK(delta.max_abs == 4);
  CHECK(delta.max_abs_index == 2U);
}

TEST_CASE("equal codes with another scale are other values") {
  Case old_tensor = make_values<std::uint8_t>(DType::kQUInt8, {0, 10, 20});
  Case new_tensor = old_tensor;
  auto coarse = std::make_shared<Quantizer>();
  coarse->scale = 0.5;
  auto fine = std::make_shared<Quantizer>();
  fine->scale = 0.25;
  old_tensor.view.quantizer = coarse;
  new_tensor.view.quantizer = fine;
  const Delta delta = delta_of(old_tensor, new_tensor);
  CHECK(delta.differing == 2);
  CHECK(delta.max_abs == 5);
  CHECK(delta.max_abs_index == 2U);
}

TEST_CASE("types without a decoder are compared by their codes") {
  const Case a = make_values<std::uint16_t>(DType::kBits16, {1, 2, 3});
  const Case b = make_values<std::uint16_t>(DType::kBits16, {1, 0x102, 3});
  CHECK_FALSE(delta_of(a, b).decoded);
  CHECK(delta_of(a, b).differing == 1);
  CHECK(delta_of(a, a).differing == 0);
  CHECK(delta_of(a, a).same_bytes);
}

TEST_CASE("differences of any two views are those of their elements one by one") {
  std::mt19937_64 random(17);
  for (int round = 0; round < 1500; ++round) {
    const DType dtype = kTypes[random() % std::size(kTypes)];
    const auto shape = random_shape(random);
    const auto a = make_random(dtype, shape, static_cast<Kind>(random() % 3), random);
    auto b = make_random(dtype, shape, static_cast<Kind>(random() % 3), random);
    if (random() % 4 == 0) b = a;
    CAPTURE(round);
    CAPTURE(name(dtype));
    const auto old_elements = naive_elements(a.tensor, a.bytes);
    const auto new_elements = naive_elements(b.tensor, b.bytes);
    Tolerance tolerance = random() % 2 == 0 ? Tolerance{} : Tolerance{0.25, 0.125};
    tolerance.nan_equal = random() % 4 != 0;
    const Delta delta = delta_of(a.tensor, b.tensor, tolerance);
    CHECK(difference(delta, naive_delta(naive_values(dtype, old_elements), naive_values(dtype, new_elements),
                                        tolerance)) == "");
    CHECK(delta.same_bytes == (old_elements == new_elements));
  }
}

TEST_CASE("differences do not depend on threads, on block sizes or on how the bytes are reached") {
  std::mt19937_64 random(23);
  std::vector<float> old_values((1u << 20) + 777);
  for (float& value : old_values)
    value = static_cast<float>(static_cast<double>(random() >> 11) * 0x1p-53 - 0.5);
  std::vector<float> new_values(old_values);
  for (std::size_t i = 0; i < new_values.size(); i += 1 + random() % 5000) new_values[i] *= 1.001F;
  old_values[1'049'000] = kNanF;
  new_values[900'001] = 3;
  const auto size = static_cast<std::int64_t>(old_values.size());
  const Case a = make_values(DType::kFloat32, old_values);
  const Case b = make_values(DType::kFloat32, new_values);
  const Case file = make_case(DType::kFloat32, {size}, bytes_of(new_values), Kind::kFile);
  const Case inflated = make_case(DType::kFloat32, {size}, bytes_of(new_values), Kind::kInflated);
  const Delta wanted = delta_with(a, b, 1, {});
  CHECK(wanted.max_abs_index == 1'049'000U);
  for (const std::size_t jobs : {1U, 3U}) {
    for (const std::size_t block : {std::size_t{1}, std::size_t{20'480}, std::size_t{1} << 20}) {
      CAPTURE(jobs);
      CAPTURE(block);
      CHECK(identical(delta_with(a, b, jobs, {.block_bytes = block}), wanted));
      CHECK(identical(delta_with(a, file, jobs, {.block_bytes = block}), wanted));
      CHECK(identical(delta_with(a, inflated, jobs, {.block_bytes = block}), wanted));
    }
  }
}

TEST_CASE("misaligned bytes are compared like aligned ones") {
  std::vector<std::byte> shifted = bytes_of<float>({9, 1, 2, 3});
  Case odd = make_case(DType::kFloat32, {3}, bytes_of<float>({1, 2, 3}));
  shifted.erase(shifted.begin());
  odd.storage.bytes = io::slice_source(io::memory_source(shifted), 3, 12);
  const Delta delta = delta_of(odd, make_values<float>(DType::kFloat32, {1, 2, 3}));
  CHECK(delta.same_bytes);
}

TEST_CASE("two expanded tensors are compared once and counted as often as they say") {
  const std::int64_t size = 1 << 20;
  const Case a = make_strided(DType::kFloat32, {size, size, 2}, {0, 0, 1}, 0, bytes_of<float>({1, 2}));
  const Case b = make_strided(DType::kFloat32, {size, size, 2}, {0, 0, 1}, 0, bytes_of<float>({1, 5}));
  const Delta delta = delta_of(a, b);
  CHECK(delta.numel == std::uint64_t{1} << 41);
  CHECK(delta.differing == std::uint64_t{1} << 40);
  CHECK(delta.max_abs == 3);
  CHECK(delta.max_abs_index == 1U);
  CHECK(delta.mean_abs == 1.5);
}

TEST_CASE("two views that repeat their storages against each other are refused") {
  const std::int64_t size = 1 << 20;
  const Case rows = make_strided(DType::kUInt8, {size, size}, {1, 0}, 0, std::vector<std::byte>(1 << 20));
  const Case columns = make_strided(DType::kUInt8, {size, size}, {0, 1}, 0, std::vector<std::byte>(1 << 20));
  try {
    delta_of(rows, columns);
    FAIL("expected an error");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kLimit);
  }
}
