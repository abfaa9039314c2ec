// Every table of kernels gives the bits of the baseline, and the baseline what the formulas say.
#include "tensor/kernels/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tensor/decode.h"
#include "tests/support/noise.h"

namespace ckpt::tensor {
namespace {

constexpr std::size_t kMost = 2 * kChunk;

std::vector<std::size_t> lengths() {
  std::vector<std::size_t> out;
  for (std::size_t i = 1; i <= 200; ++i) out.push_back(i);
  for (const std::size_t i : {kChunk - 1, kChunk, kChunk + 1, kMost - 3, kMost}) out.push_back(i);
  return out;
}

// Weights as they are, and some of everything else.
template <class T>
std::vector<T> numbers(std::size_t count, test::Noise& noise, bool finite) {
  const T special[] = {T{0},
                       -T{0},
                       std::numeric_limits<T>::denorm_min(),
                       std::numeric_limits<T>::max(),
                       std::numeric_limits<T>::lowest(),
                       std::numeric_limits<T>::infinity(),
                       -std::numeric_limits<T>::infinity(),
                       std::numeric_limits<T>::quiet_NaN()};
  std::vector<T> out(count);
  for (T& value : out) {
    value = static_cast<T>(std::ldexp(static_cast<double>(noise.below(1U << 20)) - (1U << 19), -20));
    if (noise.below(16) == 0) value = special[noise.below(finite ? 5 : 8)];
  }
  return out;
}

bool same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

bool same(const PairSums& a, const PairSums& b, bool finite) {
  return same(a.abs, b.abs) && same(a.square, b.square) && same(a.old_square, b.old_square) &&
         same(a.new_square, b.new_square) && same(a.dot, b.dot) && (!finite || same(a.max_abs, b.max_abs));
}

// Equal but for the sign of a zero.
bool same(const Range& a, const Range& b, bool finite) {
  return same(a.sum, b.sum) && (!finite || (a.min == b.min && a.max == b.max));
}

template <class T>
void check_tables(const FloatKernels<T>& mine, const FloatKernels<T>& theirs, bool finite) {
  test::Noise noise(5);
  for (const std::size_t size : lengths()) {
    for (std::size_t shift = 0; shift < (size < 70 ? 17U : 2U); ++shift) {
      CAPTURE(size);
      CAPTURE(shift);
      const std::vector<T> old_values = numbers<T>(size + shift, noise, finite);
      const std::vector<T> new_values = numbers<T>(size + shift, noise, finite);
      const T* const a = old_values.data() + shift;
      const T* const b = new_values.data() + shift;
      CHECK(same(mine.pair_sums(a, b, size), theirs.pair_sums(a, b, size), finite));
      CHECK(same(mine.square_sum(a, size), theirs.square_sum(a, size)));
      CHECK(same(mine.square_sum(a, size), mine.pair_sums(a, b, size).old_square));
      CHECK(mine.count_unequal(a, b, size) == theirs.count_unequal(a, b, size));
      CHECK(mine.count_beyond(a, b, size, 0.1, 0.01) == theirs.count_beyond(a, b, size, 0.1, 0.01));
      CHECK(same(mine.range(a, size), theirs.range(a, size), finite));
      CHECK(same(mine.square_deviation(a, size, 0.25), theirs.square_deviation(a, size, 0.25)));
      const SignCounts signs = mine.signs(a, size), others = theirs.signs(a, size);
      CHECK(signs.zeros == others.zeros);
      CHECK(signs.negative == others.negative);
    }
  }
}

// The definition: lane i % 16 adds in order, then the lanes as a tree.
template <class T, class Term>
double by_definition(const T* values, std::size_t size, Term term) {
  double lanes[kLanes] = {};
  for (std::size_t i = 0; i < size; ++i) lanes[i % kLanes] += term(i, static_cast<double>(values[i]));
  for (std::size_t width = kLanes / 2; width > 0; width /= 2)
    for (std::size_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  return lanes[0];
}

template <class T>
void check_definition(const FloatKernels<T>& kernel) {
  test::Noise noise(6);
  for (const std::size_t size : lengths()) {
    CAPTURE(size);
    const std::vector<T> a = numbers<T>(size, noise, true), b = numbers<T>(size, noise, true);
    const auto other = [&](std::size_t i) { return static_cast<double>(b[i]); };
    const PairSums sums = kernel.pair_sums(a.data(), b.data(), size);
    CHECK(same(sums.abs, by_definition(a.data(), size,
                                       [&](std::size_t i, double x) { return std::abs(other(i) - x); })));
    CHECK(same(sums.square, by_definition(a.data(), size, [&](std::size_t i, double x) {
                 return (other(i) - x) * (other(i) - x);
               })));
    CHECK(same(sums.old_square, by_definition(a.data(), size, [](std::size_t, double x) { return x * x; })));
    CHECK(same(sums.new_square, by_definition(b.data(), size, [](std::size_t, double x) { return x * x; })));
    CHECK(
        same(sums.dot, by_definition(a.data(), size, [&](std::size_t i, double x) { return x * other(i); })));
    double top = 0;
    std::uint32_t unequal = 0;
    for (std::size_t i = 0; i < size; ++i) {
      top = std::max(top, std::abs(other(i) - static_cast<double>(a[i])));
      unequal += a[i] != b[i] ? 1U : 0U;
    }
    CHECK(same(sums.max_abs, top));
    CHECK(kernel.count_unequal(a.data(), b.data(), size) == unequal);
    const Range range = kernel.range(a.data(), size);
    CHECK(same(range.sum, by_definition(a.data(), size, [](std::size_t, double x) { return x; })));
    CHECK(range.min == static_cast<double>(*std::min_element(a.begin(), a.end())));
    CHECK(range.max == static_cast<double>(*std::max_element(a.begin(), a.end())));
    CHECK(same(kernel.square_deviation(a.data(), size, 0.25),
               by_definition(a.data(), size, [](std::size_t, double x) { return (x - 0.25) * (x - 0.25); })));
    const SignCounts signs = kernel.signs(a.data(), size);
    CHECK(signs.zeros == std::count(a.begin(), a.end(), T{0}));
    CHECK(signs.negative == std::count_if(a.begin(), a.end(), [](T x) { return x < 0; }));
  }
}

// All codes of the type, shifted by `shift` bytes.
template <class Code, class Out, class Value>
void check_decoder(Decode<Out> decode, Value value) {
  constexpr std::size_t kCodes = std::size_t{1} << (8 * std::min<std::size_t>(sizeof(Code), 2));
  for (std::size_t shift = 0; shift < 9; ++shift) {
    std::vector<std::byte> bytes(shift + kCodes * sizeof(Code));
    std::vector<Code> codes(kCodes);
    for (std::size_t i = 0; i < kCodes; ++i)
      codes[i] = static_cast<Code>(i * (sizeof(Code) > 2 ? 65'537 : 1));
    std::memcpy(bytes.data() + shift, codes.data(), kCodes * sizeof(Code));
    std::vector<Out> out(kCodes);
    decode(bytes.data() + shift, kCodes, out.data());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < kCodes; ++i)
      wrong += same(static_cast<double>(out[i]), static_cast<double>(value(codes[i]))) ? 0U : 1U;
    CAPTURE(shift);
    CHECK(wrong == 0);
  }
}

void check_decoders(const Decoders& decode) {
  check_decoder<std::uint16_t>(decode.float16, half_value);
  check_decoder<std::uint16_t>(decode.bfloat16, bfloat16_value);
  const auto float8 = [](DType dtype) {
    return [dtype](std::uint8_t code) { return float8_value(dtype, code); };
  };
  check_decoder<std::uint8_t>(decode.float8_e5m2, float8(DType::kFloat8E5M2));
  check_decoder<std::uint8_t>(decode.float8_e4m3fn, float8(DType::kFloat8E4M3Fn));
  check_decoder<std::uint8_t>(decode.float8_e5m2fnuz, float8(DType::kFloat8E5M2Fnuz));
  check_decoder<std::uint8_t>(decode.float8_e4m3fnuz, float8(DType::kFloat8E4M3Fnuz));
  check_decoder<std::uint8_t>(decode.float8_e8m0fnu, float8(DType::kFloat8E8M0Fnu));
  const auto itself = [](auto code) { return code; };
  check_decoder<std::int8_t>(decode.int8, itself);
  check_decoder<std::uint8_t>(decode.uint8, itself);
  check_decoder<std::int16_t>(decode.int16, itself);
  check_decoder<std::uint16_t>(decode.uint16, itself);
  check_decoder<std::uint8_t>(decode.boolean, [](std::uint8_t code) { return code != 0 ? 1 : 0; });
  check_decoder<std::int32_t>(decode.int32, itself);
  check_decoder<std::uint32_t>(decode.uint32, itself);
  check_decoder<float>(decode.float32, itself);
}

CodeDistance distance_by_definition(std::uint64_t a, std::uint64_t b, const FloatCodes& codes) {
  if (codes.finite(a) && codes.finite(b)) {
    const std::uint64_t x = codes.position(a), y = codes.position(b);
    return {x < y ? y - x : x - y, false};
  }
  return {0, a != b && !(codes.nan(a) && codes.nan(b))};
}

// All pairs of codes of one byte; of wider types the codes near every border, and some of the others.
template <class Code>
std::vector<Code> telling_codes(const FloatCodes& codes, test::Noise& noise) {
  std::vector<Code> out;
  if (sizeof(Code) == 1) {
    for (unsigned i = 0; i < 256; ++i) out.push_back(static_cast<Code>(i));
    return out;
  }
  for (const std::uint64_t border :
       {std::uint64_t{0}, codes.sign, codes.largest, codes.sign + codes.largest, ~std::uint64_t{0}})
    for (std::uint64_t step = 0; step < 7; ++step) out.push_back(static_cast<Code>(border + step - 3));
  for (int i = 0; i < 100; ++i) out.push_back(static_cast<Code>(noise.next() >> 3));
  return out;
}

template <class Code>
void check_distance(CodeDistanceOf distance, DType dtype) {
  test::Noise noise(7);
  const FloatCodes codes = float_codes(dtype);
  const std::vector<Code> all = telling_codes<Code>(codes, noise);
  CodeDistance whole;
  std::vector<Code> left, right;
  std::size_t wrong = 0;
  for (const Code a : all)
    for (const Code b : all) {
      const auto found =
          distance(std::as_bytes(std::span(&a, 1)).data(), std::as_bytes(std::span(&b, 1)).data(), 1, codes);
      const CodeDistance wanted = distance_by_definition(a, b, codes);
      wrong += found.most == wanted.most && found.odd == wanted.odd ? 0U : 1U;
      whole.most = std::max(whole.most, wanted.most);
      whole.odd = whole.odd || wanted.odd;
      left.push_back(a);
      right.push_back(b);
    }
  CHECK(wrong == 0);
  const auto found = distance(std::as_bytes(std::span(left)).data(), std::as_bytes(std::span(right)).data(),
                              left.size(), codes);
  CHECK(found.most == whole.most);
  CHECK(found.odd == whole.odd);
}

void check_distances(const DistanceKernels& distance) {
  for (const DType dtype : {DType::kFloat8E4M3Fn, DType::kFloat8E5M2, DType::kFloat8E4M3Fnuz,
                            DType::kFloat8E5M2Fnuz, DType::kFloat8E8M0Fnu})
    check_distance<std::uint8_t>(distance.of_1, dtype);
  check_distance<std::uint16_t>(distance.of_2, DType::kFloat16);
  check_distance<std::uint16_t>(distance.of_2, DType::kBFloat16);
  check_distance<std::uint32_t>(distance.of_4, DType::kFloat32);
  check_distance<std::uint64_t>(distance.of_8, DType::kFloat64);
}

TEST_CASE("the baseline kernels compute what is written about them") {
  check_definition(baseline_kernels()->f32);
  check_definition(baseline_kernels()->f64);
}

TEST_CASE("every instruction set gives the same bits") {
  for (const KernelTable* table : available_kernels()) {
    const std::string name = table->name;
    CAPTURE(name);
    for (const bool finite : {true, false}) {
      check_tables(table->f32, baseline_kernels()->f32, finite);
      check_tables(table->f64, baseline_kernels()->f64, finite);
    }
    check_decoders(table->decode);
    check_distances(table->distance);
  }
  CHECK(&kernels() == available_kernels().back());
}

}  // namespace
}  // namespace ckpt::tensor
