// The kernels, compiled once for each instruction set by a file that defines CKPT_KERNELS, the name of its
// table's function, and CKPT_STRIP. Everything here is private to that file, and nothing here calls an inline
// function of the standard library: the linker keeps one copy of those for all files, and it could be the one
// that was compiled for the wider set (tests/tensor/kernel_symbols.cmake reads the symbols).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include <Eigen/Core>

#include "tensor/kernels/kernels.h"

namespace ckpt::tensor {
namespace {

// The 16 lanes are walked in strips whose accumulators stay in registers: with 16 registers four lanes at a
// time, with the 32 of AVX-512 all of them. Lanes do not meet before total(), so the strips do not show in
// the result.
constexpr std::size_t kStrip = CKPT_STRIP;
using Strip = Eigen::Array<double, kStrip, 1>;
using Lanes = Eigen::Array<double, kLanes, 1>;
template <class T>
using Raw = Eigen::Array<T, kStrip, 1>;

// Explicit, and no cast where there is none to do: compilers warn about the one or the other.
constexpr double as_double(float value) { return static_cast<double>(value); }
constexpr double as_double(double value) { return value; }

inline float magnitude(float value) { return __builtin_fabsf(value); }
inline double magnitude(double value) { return __builtin_fabs(value); }

// A fixed tree, not Eigen's sum(): its order follows the width of the machine's registers.
double total(const Lanes& lanes) {
  double sums[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) sums[i] = lanes[static_cast<Eigen::Index>(i)];
  for (std::size_t width = kLanes / 2; width > 0; width /= 2)
    for (std::size_t i = 0; i < width; ++i) sums[i] += sums[i + width];
  return sums[0];
}

// A loop that compilers turn into one conversion; Eigen 3.4 casts element by element.
template <class T>
Strip load(const T* from) {
  Strip strip;
  for (std::size_t i = 0; i < kStrip; ++i) strip.data()[i] = as_double(from[i]);
  return strip;
}

// The chunk after this one, on its way from memory: with several streams the machine's own prefetching stops
// at every page. Addresses beyond the end do no harm.
template <class T>
void read_ahead(const T* from) {
  __builtin_prefetch(from + kChunk);
}

// The last, short row of 16, filled up with `filler`.
template <class T>
struct Row {
  alignas(64) T values[kLanes];

  Row(const T* from, std::size_t size, T filler) {
    const std::size_t full = size / kLanes * kLanes;
    for (std::size_t i = 0; i < kLanes; ++i) values[i] = full + i < size ? from[full + i] : filler;
  }
  const T* at(std::size_t lane) const { return values + lane; }
};

struct PairStrip {
  Strip abs = Strip::Zero(), square = Strip::Zero(), old_square = Strip::Zero(), new_square = Strip::Zero(),
        top = Strip::Zero(), dot = Strip::Zero();

  void add(const Strip& a, const Strip& b) {
    const Strip d = b - a;
    const Strip size = d.abs();
    abs += size;
    square += d * d;
    old_square += a * a;
    new_square += b * b;
    dot += a * b;
    top = top.max(size);
  }
};

template <class T>
PairSums pair_sums(const T* old_values, const T* new_values, std::size_t size) {
  const Row<T> old_row(old_values, size, T{0});
  const Row<T> new_row(new_values, size, T{0});
  Lanes abs, square, old_square, new_square, top, dot;
  for (std::size_t strip = 0; strip < kLanes; strip += kStrip) {
    PairStrip sums;
    for (std::size_t i = strip; i + (kLanes - strip) <= size; i += kLanes) {
      read_ahead(old_values + i);
      read_ahead(new_values + i);
      sums.add(load(old_values + i), load(new_values + i));
    }
    sums.add(load(old_row.at(strip)), load(new_row.at(strip)));
    const auto at = static_cast<Eigen::Index>(strip);
    abs.segment<kStrip>(at) = sums.abs;
    square.segment<kStrip>(at) = sums.square;
    old_square.segment<kStrip>(at) = sums.old_square;
    new_square.segment<kStrip>(at) = sums.new_square;
    top.segment<kStrip>(at) = sums.top;
    dot.segment<kStrip>(at) = sums.dot;
  }
  return {total(abs), total(square), total(old_square), total(new_square), top.maxCoeff(), total(dot)};
}

template <class T>
double square_sum(const T* values, std::size_t size) {
  const Row<T> row(values, size, T{0});
  Lanes squares;
  for (std::size_t strip = 0; strip < kLanes; strip += kStrip) {
    Strip sum = Strip::Zero();
    for (std::size_t i = strip; i + (kLanes - strip) <= size; i += kLanes) {
      const Strip x = load(values + i);
      sum += x * x;
    }
    const Strip x = load(row.at(strip));
    sum += x * x;
    squares.segment<kStrip>(static_cast<Eigen::Index>(strip)) = sum;
  }
  return total(squares);
}

// Plain loops over the chunk, which is in the first-level cache by now: compilers vectorise integer
// counting, and Eigen 3.4 has no packet comparisons.
template <class T>
std::uint32_t count_unequal(const T* old_values, const T* new_values, std::size_t size) {
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < size; ++i) count += old_values[i] != new_values[i] ? 1U : 0U;
  return count;
}

template <class T>
std::uint32_t count_beyond(const T* old_values, const T* new_values, std::size_t size, double rtol,
                           double atol) {
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto a = as_double(old_values[i]);
    const double d = magnitude(as_double(new_values[i]) - a);
    // d <= infinity holds for a difference that overflowed; torch.isclose wants a finite one.
    const bool close = d <= atol + rtol * magnitude(a) && d <= std::numeric_limits<double>::max();
    count += d != 0 && !close ? 1U : 0U;
  }
  return count;
}

template <class T>
Range range(const T* values, std::size_t size) {
  const Row<T> sum_row(values, size, T{0});
  const Row<T> edge_row(values, size, values[0]);
  Lanes sums;
  Raw<T> low = Raw<T>::Constant(values[0]);
  Raw<T> high = low;
  for (std::size_t strip = 0; strip < kLanes; strip += kStrip) {
    Strip sum = Strip::Zero();
    for (std::size_t i = strip; i + (kLanes - strip) <= size; i += kLanes) {
      read_ahead(values + i);
      const Raw<T> x = Eigen::Map<const Raw<T>>(values + i);
      sum += load(values + i);
      low = low.min(x);
      high = high.max(x);
    }
    sum += load(sum_row.at(strip));
    low = low.min(Eigen::Map<const Raw<T>>(edge_row.at(strip)));
    high = high.max(Eigen::Map<const Raw<T>>(edge_row.at(strip)));
    sums.segment<kStrip>(static_cast<Eigen::Index>(strip)) = sum;
  }
  return {total(sums), as_double(low.minCoeff()), as_double(high.maxCoeff())};
}

template <class T>
double square_deviation(const T* values, std::size_t size, double mean) {
  Lanes squares;
  for (std::size_t strip = 0; strip < kLanes; strip += kStrip) {
    Strip sum = Strip::Zero();
    for (std::size_t i = strip; i + (kLanes - strip) <= size; i += kLanes) {
      const Strip x = load(values + i) - mean;
      sum += x * x;
    }
    squares.segment<kStrip>(static_cast<Eigen::Index>(strip)) = sum;
  }
  // The short row cannot be padded: (filler - mean)^2 need not be exactly 0.
  const std::size_t full = size / kLanes * kLanes;
  for (std::size_t i = full; i < size; ++i) {
    const double x = as_double(values[i]) - mean;
    squares[static_cast<Eigen::Index>(i - full)] += x * x;
  }
  return total(squares);
}

template <class T>
SignCounts signs(const T* values, std::size_t size) {
  constexpr T kNormal = std::numeric_limits<T>::min();
  std::uint32_t zeros = 0;
  std::uint32_t negative = 0;
  std::uint32_t tiny = 0;
  for (std::size_t i = 0; i < size; ++i) {
    zeros += values[i] == T{0} ? 1U : 0U;
    negative += values[i] < T{0} ? 1U : 0U;
    tiny += magnitude(values[i]) < kNormal ? 1U : 0U;
  }
  return {zeros, negative, tiny - zeros};
}

template <class T>
constexpr FloatKernels<T> table_for() {
  return {pair_sums<T>, square_sum<T>,       count_unequal<T>, count_beyond<T>,
          range<T>,     square_deviation<T>, signs<T>};
}

// --- small types as floats ------------------------------------------------------------------------------

template <class T>
T element(const std::byte* elements, std::size_t index) {
  T value;
  __builtin_memcpy(&value, elements + index * sizeof(T), sizeof(T));  // aligned or not
  return value;
}

enum class Special : std::uint8_t {
  kInfinities,  // IEEE: the largest exponent is infinity and NaN
  kAllOnes,     // NaN alone, where all bits but the sign are set
  kMinusZero,   // "fnuz": NaN alone, in place of -0
};

// Its bits, moved to where a float has them, are a float too small by 2^kPower, denormals included: one exact
// multiplication.
template <class Code, unsigned kMantissa, int kPower, Special kSpecial>
void decode_small(const std::byte* elements, std::size_t size, float* out) {
  constexpr unsigned kBits = 8 * sizeof(Code);
  constexpr std::uint32_t kSign = 1U << (kBits - 1);
  constexpr std::uint32_t kInfinity = 0x7F800000;
  constexpr float kScale = __builtin_bit_cast(float, static_cast<std::uint32_t>(127 + kPower) << 23);
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint32_t code = element<Code>(elements, i);
    const std::uint32_t magnitude = (code & (kSign - 1)) << (23 - kMantissa);
    std::uint32_t bits = __builtin_bit_cast(std::uint32_t, __builtin_bit_cast(float, magnitude) * kScale);
    if constexpr (kSpecial == Special::kInfinities) {
      constexpr std::uint32_t kLargest = (kSign - 1) >> kMantissa << 23;
      bits = magnitude >= kLargest ? magnitude | kInfinity : bits;
    } else {
      constexpr std::uint32_t kNan = kSpecial == Special::kAllOnes ? kSign - 1 : kSign;
      constexpr std::uint32_t kMask = kSpecial == Special::kAllOnes ? kSign - 1 : 2 * kSign - 1;
      bits = (code & kMask) == kNan ? kInfinity | 1U : bits;
    }
    out[i] = __builtin_bit_cast(float, bits | (code & kSign) << (32 - kBits));
  }
}

void decode_bfloat16(const std::byte* elements, std::size_t size, float* out) {
  for (std::size_t i = 0; i < size; ++i)
    out[i] = __builtin_bit_cast(float, static_cast<std::uint32_t>(element<std::uint16_t>(elements, i)) << 16);
}

// 2^(code - 127); 0 is the one denormal among them, 255 NaN.
void decode_e8m0(const std::byte* elements, std::size_t size, float* out) {
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint32_t code = element<std::uint8_t>(elements, i);
    const std::uint32_t bits = code == 0 ? 1U << 22 : code << 23;
    out[i] = __builtin_bit_cast(float, code == 0xFF ? bits | 1U : bits);
  }
}

template <class Code, class Out>
void decode_numbers(const std::byte* elements, std::size_t size, Out* out) {
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<Out>(element<Code>(elements, i));
}

// torch: any byte but 0 is true.
void decode_bools(const std::byte* elements, std::size_t size, float* out) {
  for (std::size_t i = 0; i < size; ++i) out[i] = elements[i] != std::byte{0} ? 1.0F : 0.0F;
}

constexpr Decoders kDecoders = {
    .float16 = decode_small<std::uint16_t, 10, 112, Special::kInfinities>,
    .bfloat16 = decode_bfloat16,
    .float8_e5m2 = decode_small<std::uint8_t, 2, 112, Special::kInfinities>,
    .float8_e4m3fn = decode_small<std::uint8_t, 3, 120, Special::kAllOnes>,
    .float8_e5m2fnuz = decode_small<std::uint8_t, 2, 111, Special::kMinusZero>,
    .float8_e4m3fnuz = decode_small<std::uint8_t, 3, 119, Special::kMinusZero>,
    .float8_e8m0fnu = decode_e8m0,
    .int8 = decode_numbers<std::int8_t, float>,
    .uint8 = decode_numbers<std::uint8_t, float>,
    .int16 = decode_numbers<std::int16_t, float>,
    .uint16 = decode_numbers<std::uint16_t, float>,
    .boolean = decode_bools,
    .int32 = decode_numbers<std::int32_t, double>,
    .uint32 = decode_numbers<std::uint32_t, double>,
    .float32 = decode_numbers<float, double>,
};

// --- codes ----------------------------------------------------------------------------------------------

// Everything in the code's own type and without branches, so that as many codes as fit are compared at a
// time.
template <class Code>
CodeDistance distance_of(const std::byte* old_codes, const std::byte* new_codes, std::size_t size,
                         const FloatCodes& codes) {
  const auto sign = static_cast<Code>(codes.sign);
  const auto rest = static_cast<Code>(~sign);
  const auto largest = static_cast<Code>(codes.largest);
  const auto infinity = static_cast<Code>(codes.infinity ? largest + 1 : largest);
  // Where the code of -0 is the NaN, its magnitude is 0. Elsewhere a code that is a NaN anyway.
  const auto lone = codes.lone_zero ? sign : rest;
  Code most = 0;
  Code odd = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto a = element<Code>(old_codes, i);
    const auto b = element<Code>(new_codes, i);
    const auto size_a = static_cast<Code>(a & rest);
    const auto size_b = static_cast<Code>(b & rest);
    const auto at_a = static_cast<Code>(size_a == a ? sign + size_a : sign - size_a);
    const auto at_b = static_cast<Code>(size_b == b ? sign + size_b : sign - size_b);
    const auto apart = static_cast<Code>(at_a > at_b ? at_a - at_b : at_b - at_a);
    const auto nan_a = static_cast<Code>((size_a > infinity ? 1 : 0) | (a == lone ? 1 : 0));
    const auto nan_b = static_cast<Code>((size_b > infinity ? 1 : 0) | (b == lone ? 1 : 0));
    const auto wild =
        static_cast<Code>((size_a > largest ? 1 : 0) | (size_b > largest ? 1 : 0) | nan_a | nan_b);
    const auto alike = static_cast<Code>((a == b ? 1 : 0) | (nan_a & nan_b));
    const auto counted = static_cast<Code>(apart & (wild - 1));  // wild is 0 or 1
    most = counted > most ? counted : most;
    odd = static_cast<Code>(odd | (wild & (alike ^ 1)));
  }
  return {most, odd != 0};
}

constexpr DistanceKernels kDistances = {distance_of<std::uint8_t>, distance_of<std::uint16_t>,
                                        distance_of<std::uint32_t>, distance_of<std::uint64_t>};

constexpr KernelTable kTable = {CKPT_KERNELS_NAME, table_for<float>(), table_for<double>(), kDecoders,
                                kDistances};

}  // namespace

const KernelTable* CKPT_KERNELS() { return &kTable; }

}  // namespace ckpt::tensor
