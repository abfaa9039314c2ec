#include <algorithm>
#include <array>
#include <cmath>

#include <Eigen/Core>

#include "tensor/kernels/kernels.h"

namespace ckpt::tensor {
namespace {

// The 16 lanes are walked as four strips of four: with SSE2 a strip's accumulators stay in registers, all
// sixteen would not. Lanes do not meet before total(), so the strips do not show in the result.
constexpr std::size_t kStrip = 4;
using Strip = Eigen::Array<double, kStrip, 1>;
using Lanes = Eigen::Array<double, kLanes, 1>;
template <class T>
using Raw = Eigen::Array<T, kStrip, 1>;

// Explicit, and no cast where there is none to do: compilers warn about the one or the other.
constexpr double as_double(float value) { return static_cast<double>(value); }
constexpr double as_double(double value) { return value; }

// A fixed tree, not Eigen's sum(): its order follows the width of the machine's registers.
double total(const Lanes& lanes) {
  std::array<double, kLanes> sums{};
  for (std::size_t i = 0; i < kLanes; ++i) sums[i] = lanes[static_cast<Eigen::Index>(i)];
  for (std::size_t width = kLanes / 2; width > 0; width /= 2)
    for (std::size_t i = 0; i < width; ++i) sums[i] += sums[i + width];
  return sums[0];
}

template <class T>
Strip load(const T* from) {
  return Eigen::Map<const Raw<T>>(from).template cast<double>();
}

// The last, short row of 16, filled up with `filler`.
template <class T>
std::array<T, kLanes> last_row(const T* values, std::size_t size, T filler) {
  std::array<T, kLanes> row;
  row.fill(filler);
  const std::size_t full = size / kLanes * kLanes;
  std::copy(values + full, values + size, row.begin());
  return row;
}

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
  const auto old_row = last_row(old_values, size, T{0});
  const auto new_row = last_row(new_values, size, T{0});
  Lanes abs, square, old_square, new_square, top, dot;
  for (std::size_t strip = 0; strip < kLanes; strip += kStrip) {
    PairStrip sums;
    for (std::size_t i = strip; i + (kLanes - strip) <= size; i += kLanes)
      sums.add(load(old_values + i), load(new_values + i));
    sums.add(load(old_row.data() + strip), load(new_row.data() + strip));
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
  const auto row = last_row(values, size, T{0});
  Lanes squares;
  for (std::size_t strip = 0; strip < kLanes; strip += kStrip) {
    Strip sum = Strip::Zero();
    for (std::size_t i = strip; i + (kLanes - strip) <= size; i += kLanes) {
      const Strip x = load(values + i);
      sum += x * x;
    }
    const Strip x = load(row.data() + strip);
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
    const double d = std::abs(as_double(new_values[i]) - a);
    // d <= infinity holds for a difference that overflowed; torch.isclose wants a finite one.
    const bool close = d <= atol + rtol * std::abs(a) && d <= std::numeric_limits<double>::max();
    count += d != 0 && !close ? 1U : 0U;
  }
  return count;
}

template <class T>
Range range(const T* values, std::size_t size) {
  const auto sum_row = last_row(values, size, T{0});
  const auto edge_row = last_row(values, size, values[0]);
  Lanes sums;
  Raw<T> low = Raw<T>::Constant(values[0]);
  Raw<T> high = low;
  for (std::size_t strip = 0; strip < kLanes; strip += kStrip) {
    Strip sum = Strip::Zero();
    for (std::size_t i = strip; i + (kLanes - strip) <= size; i += kLanes) {
      const Raw<T> x = Eigen::Map<const Raw<T>>(values + i);
      sum += x.template cast<double>();
      low = low.min(x);
      high = high.max(x);
    }
    sum += load(sum_row.data() + strip);
    low = low.min(Eigen::Map<const Raw<T>>(edge_row.data() + strip));
    high = high.max(Eigen::Map<const Raw<T>>(edge_row.data() + strip));
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
  SignCounts counts;
  for (std::size_t i = 0; i < size; ++i) counts.zeros += values[i] == T{0} ? 1U : 0U;
  for (std::size_t i = 0; i < size; ++i) counts.negative += values[i] < T{0} ? 1U : 0U;
  return counts;
}

template <class T>
constexpr FloatKernels<T> table_for() {
  return {pair_sums<T>, square_sum<T>,       count_unequal<T>, count_beyond<T>,
          range<T>,     square_deviation<T>, signs<T>};
}

constexpr KernelTable kTable = {table_for<float>(), table_for<double>()};

}  // namespace

const KernelTable& baseline_kernels() { return kTable; }
const KernelTable& kernels() { return kTable; }

}  // namespace ckpt::tensor
