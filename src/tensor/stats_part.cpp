#include "tensor/stats_part.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace ckpt::tensor {
namespace {

// A mean of integers as whole part and fraction: the difference of two means of large integers (times in
// nanoseconds, say) keeps its digits.
struct SplitMean {
  Int128 whole = 0;
  double fraction = 0;
};

SplitMean split_mean(Int128 sum, std::uint64_t count) {
  const auto divisor = static_cast<Int128>(count);
  Int128 whole = sum / divisor;
  if (sum % divisor < 0) --whole;
  const Int128 rest = sum - whole * divisor;
  return {whole, static_cast<double>(rest) / static_cast<double>(count)};
}

double combined_deviation(const Moments& a, const Moments& b, double difference) {
  const auto count_a = static_cast<double>(a.count);
  const auto count_b = static_cast<double>(b.count);
  return a.deviation + b.deviation + difference * difference * (count_a * (count_b / (count_a + count_b)));
}

void merge_moments(Moments& part, const Moments& after) {
  if (after.count == 0) return;
  if (part.count == 0) {
    part = after;
    return;
  }
  const double difference = after.mean - part.mean;
  part.deviation = combined_deviation(part, after, difference);
  part.count += after.count;
  part.sum.add(after.sum);
  const double sum = part.sum.value();
  if (std::isfinite(sum))
    part.mean = sum / static_cast<double>(part.count);
  else  // of float64: it overflowed, the mean does not
    part.mean += difference * (static_cast<double>(after.count) / static_cast<double>(part.count));
}

void merge_integers(StatsPart& part, const Moments& after, Int128 after_sum) {
  if (after.count == 0) return;
  if (part.real.count == 0) {
    part.real = after;
    part.integer_sum = after_sum;
    return;
  }
  const SplitMean a = split_mean(part.integer_sum, part.real.count);
  const SplitMean b = split_mean(after_sum, after.count);
  const double difference = static_cast<double>(b.whole - a.whole) + (b.fraction - a.fraction);
  part.real.deviation = combined_deviation(part.real, after, difference);
  part.real.count += after.count;
  part.integer_sum += after_sum;
}

template <class T>
void keep_min(std::optional<T>& least, const std::optional<T>& value) {
  if (value && (!least || *value < *least)) least = value;
}
template <class T>
void keep_max(std::optional<T>& most, const std::optional<T>& value) {
  if (value && (!most || *most < *value)) most = value;
}
template <class T>
void keep_min(std::optional<T>& least, T value) {
  keep_min(least, std::optional<T>(value));
}
template <class T>
void keep_max(std::optional<T>& most, T value) {
  keep_max(most, std::optional<T>(value));
}

template <class T, class Is>
void note_first(const T* values, std::size_t size, std::uint64_t first, Is is,
                std::optional<std::uint64_t>& index) {
  if (index) return;
  const T* const found = std::find_if(values, values + size, is);
  if (found != values + size) index = first + static_cast<std::uint64_t>(found - values);
}

template <class T>
bool is_negative(T value) {
  return value < T{0};
}

template <class T>
bool is_subnormal(T value) {
  return std::fpclassify(value) == FP_SUBNORMAL;
}

void note_nonfinite(std::uint64_t index, StatsPart& part) {
  if (!part.first_nonfinite) part.first_nonfinite = index;
}

void count_infinity(double value, StatsPart& part) {
  if (value > 0) {
    ++part.posinf;
  } else {
    ++part.neginf;
  }
}

// True if most of what the lanes added up has cancelled: for some chunk in a thousand of ordinary weights.
bool cancels(const Range& range) {
  return std::abs(range.sum) < std::max(std::abs(range.min), std::abs(range.max)) / 256;
}

template <class T>
Moments moments_of(const T* values, std::size_t size, const Range& range) {
  const double sum = cancels(range) ? exact_sum(values, size) : range.sum;
  double mean = sum / static_cast<double>(size);
  if (!std::isfinite(mean)) {
    // The sum of float64 values overflowed, their mean does not.
    constexpr double kDown = 1.0 / (2 * kChunk);
    double scaled = 0;
    for (std::size_t i = 0; i < size; ++i) scaled += as_double(values[i]) * kDown;
    mean = scaled / static_cast<double>(size) * (1 / kDown);
  }
  Moments moments{size, mean, float_kernels<T>().square_deviation(values, size, mean)};
  moments.sum.add(sum);
  return moments;
}

Number integer_number(Int128 value, const Decoder& decoder) {
  const DTypeClass cls = dtype_class(decoder.dtype);
  if (cls == DTypeClass::kUInt) return static_cast<std::uint64_t>(value);
  return static_cast<std::int64_t>(value);
}

// Of the small floats subnormals are a good part of the range, and as float32 they are none.
bool has_subnormals(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kBFloat16;
}

void finish_extremes(const StatsPart& part, const Decoder& decoder, Stats& stats) {
  if (part.min_integer) stats.min = integer_number(*part.min_integer, decoder);
  if (part.max_integer) stats.max = integer_number(*part.max_integer, decoder);
  // + 0.0: which of two zeros is the smaller must not depend on the order of comparisons.
  if (part.min) stats.min = *part.min + 0.0;
  if (part.max) stats.max = *part.max + 0.0;
}

void finish_moments(const StatsPart& part, const Decoder& decoder, std::uint64_t copies, Stats& stats) {
  const double nothing = std::numeric_limits<double>::quiet_NaN();
  const bool is_complex = decoder.domain == Domain::kComplex;
  if (part.real.count == 0) {
    stats.mean = nothing;
    stats.std = nothing;
    if (is_complex) stats.mean_imag = nothing;
    return;
  }
  const auto count = static_cast<double>(part.real.count);
  stats.mean = part.real.mean;
  if (decoder.integral) {
    const SplitMean mean = split_mean(part.integer_sum, part.real.count);
    stats.mean = static_cast<double>(mean.whole) + mean.fraction;
  }
  if (is_complex) stats.mean_imag = part.imag.mean;
  const double deviation = part.real.deviation + part.imag.deviation;
  const double mean_square = stats.mean * stats.mean + part.imag.mean * part.imag.mean;
  stats.std = std::sqrt(deviation / count);
  stats.l2 = std::sqrt((deviation + count * mean_square) * static_cast<double>(copies));
}

}  // namespace

void merge(StatsPart& part, const StatsPart& after, const Decoder& decoder) {
  part.nan += after.nan;
  part.posinf += after.posinf;
  part.neginf += after.neginf;
  part.zeros += after.zeros;
  part.negative += after.negative;
  part.subnormal += after.subnormal;
  if (!part.first_nonfinite) part.first_nonfinite = after.first_nonfinite;
  if (!part.first_negative) part.first_negative = after.first_negative;
  if (!part.first_subnormal) part.first_subnormal = after.first_subnormal;
  part.crc.append(after.crc);
  keep_min(part.min, after.min);
  keep_max(part.max, after.max);
  keep_min(part.min_integer, after.min_integer);
  keep_max(part.max_integer, after.max_integer);
  if (decoder.integral) {
    merge_integers(part, after.real, after.integer_sum);
  } else {
    merge_moments(part.real, after.real);
    merge_moments(part.imag, after.imag);
  }
}

Stats finish(const StatsPart& part, const Decoder& decoder, std::uint64_t walked, std::uint64_t copies) {
  Stats stats;
  stats.numel = walked * copies;
  stats.decoded = decoder.domain != Domain::kOpaque;
  if (!stats.decoded) return stats;
  stats.nan = part.nan * copies;
  stats.posinf = part.posinf * copies;
  stats.neginf = part.neginf * copies;
  stats.zeros = part.zeros * copies;
  stats.negative = part.negative * copies;
  stats.first_nonfinite = part.first_nonfinite;
  stats.first_negative = part.first_negative;
  if (has_subnormals(decoder.dtype)) {
    stats.subnormal = part.subnormal * copies;
    stats.first_subnormal = part.first_subnormal;
  }
  finish_extremes(part, decoder, stats);
  finish_moments(part, decoder, copies, stats);
  return stats;
}

void StatsAccumulator::add(std::span<const std::byte> elements, std::uint64_t first, StatsPart& part) {
  const std::size_t size = elements.size() / element_size(decoder_.dtype);
  switch (decoder_.domain) {
    case Domain::kFloat:
      return add_floats(decode_floats(decoder_, elements, floats_.data()), size, first, part);
    case Domain::kDouble:
      decode_doubles(decoder_, elements, first, values_.data());
      return add_floats(values_.data(), size, first, part);
    case Domain::kInteger:
      if (decoder_.has_sign) return add_integers<std::int64_t>(elements, first, part);
      return add_integers<std::uint64_t>(elements, first, part);
    case Domain::kComplex: return add_complex(elements, first, part);
    case Domain::kOpaque: return;
  }
}

template <class T>
void StatsAccumulator::add_floats(const T* values, std::size_t size, std::uint64_t first, StatsPart& part) {
  const Range range = float_kernels<T>().range(values, size);
  add_signs(values, size, first, part);
  if (!std::isfinite(range.sum)) return add_with_nonfinite(values, size, first, part);
  add_finite(values, size, range, part);
}

template <class T>
void StatsAccumulator::add_signs(const T* values, std::size_t size, std::uint64_t first, StatsPart& part) {
  const SignCounts signs = float_kernels<T>().signs(values, size);
  part.zeros += signs.zeros;
  part.negative += signs.negative;
  part.subnormal += signs.subnormal;
  if (signs.negative > 0) note_first(values, size, first, is_negative<T>, part.first_negative);
  if (signs.subnormal > 0) note_first(values, size, first, is_subnormal<T>, part.first_subnormal);
}

template <class T>
void StatsAccumulator::add_finite(const T* values, std::size_t size, const Range& range, StatsPart& part) {
  const Moments moments = moments_of(values, size, range);
  if (decoder_.integral) {
    keep_min(part.min_integer, static_cast<Int128>(range.min));
    keep_max(part.max_integer, static_cast<Int128>(range.max));
    merge_integers(part, moments, static_cast<Int128>(range.sum));
  } else {
    keep_min(part.min, range.min);
    keep_max(part.max, range.max);
    merge_moments(part.real, moments);
  }
}

// The sum of the chunk is not finite: some element is not, or the sum overflowed.
template <class T>
void StatsAccumulator::add_with_nonfinite(const T* values, std::size_t size, std::uint64_t first,
                                          StatsPart& part) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto value = as_double(values[i]);
    if (std::isfinite(value)) {
      finite_[kept] = value;
      ++kept;
      continue;
    }
    note_nonfinite(first + i, part);
    if (std::isnan(value)) {
      ++part.nan;
      continue;
    }
    count_infinity(value, part);
    keep_min(part.min, value);
    keep_max(part.max, value);
  }
  if (kept > 0) add_finite(finite_.data(), kept, kernels().f64.range(finite_.data(), kept), part);
}

template <class T>
void StatsAccumulator::add_integers(std::span<const std::byte> elements, std::uint64_t first,
                                    StatsPart& part) {
  std::array<T, kChunk> values;
  decode_integers(decoder_, elements, values.data());
  const std::size_t size = elements.size() / sizeof(T);
  T least = values[0];
  T most = values[0];
  Int128 sum = 0;
  std::uint64_t zeros = 0;
  std::uint64_t negative = 0;
  for (std::size_t i = 0; i < size; ++i) {
    least = std::min(least, values[i]);
    most = std::max(most, values[i]);
    sum += values[i];
    zeros += values[i] == 0 ? 1U : 0U;
    if constexpr (std::is_signed_v<T>) negative += values[i] < 0 ? 1U : 0U;
  }
  // Deviations from the mean: the whole part exactly, the fraction in double.
  const SplitMean mean = split_mean(sum, size);
  const auto pivot = static_cast<std::uint64_t>(static_cast<T>(mean.whole));
  for (std::size_t i = 0; i < size; ++i) {
    const auto value = static_cast<std::uint64_t>(values[i]);
    finite_[i] = values[i] < static_cast<T>(mean.whole) ? -static_cast<double>(pivot - value)
                                                        : static_cast<double>(value - pivot);
  }
  const double deviation = kernels().f64.square_deviation(finite_.data(), size, mean.fraction);
  part.zeros += zeros;
  part.negative += negative;
  if (negative > 0) note_first(values.data(), size, first, is_negative<T>, part.first_negative);
  keep_min(part.min_integer, static_cast<Int128>(least));
  keep_max(part.max_integer, static_cast<Int128>(most));
  merge_integers(part, {size, 0, deviation}, sum);
}

void StatsAccumulator::add_complex(std::span<const std::byte> elements, std::uint64_t first,
                                   StatsPart& part) {
  decode_doubles(decoder_, elements, first, values_.data());
  const std::size_t size = elements.size() / element_size(decoder_.dtype);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double real = values_[2 * i];
    const double imag = values_[2 * i + 1];
    if (std::isfinite(real) && std::isfinite(imag)) {
      part.zeros += real == 0 && imag == 0 ? 1U : 0U;
      finite_[kept] = real;
      finite_imag_[kept] = imag;
      ++kept;
      continue;
    }
    note_nonfinite(first + i, part);
    if (std::isnan(real) || std::isnan(imag)) {
      ++part.nan;
    } else {
      count_infinity(std::isinf(real) ? real : imag, part);
    }
  }
  if (kept == 0) return;
  const FloatKernels<double>& kernel = kernels().f64;
  merge_moments(part.real, moments_of(finite_.data(), kept, kernel.range(finite_.data(), kept)));
  merge_moments(part.imag, moments_of(finite_imag_.data(), kept, kernel.range(finite_imag_.data(), kept)));
}

}  // namespace ckpt::tensor
