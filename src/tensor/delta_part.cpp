#include "tensor/delta_part.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace ckpt::tensor {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::array<double, kChunk> kZeros{};

Domain common_domain(const Decoder& a, const Decoder& b) {
  if (a.domain == Domain::kOpaque || b.domain == Domain::kOpaque) return Domain::kOpaque;
  if (a.domain == Domain::kComplex || b.domain == Domain::kComplex) return Domain::kComplex;
  // 64-bit integers stay exact among integers; against floats they are rounded to double.
  if (a.integral && b.integral && (a.domain == Domain::kInteger || b.domain == Domain::kInteger))
    return Domain::kInteger;
  return a.domain == Domain::kFloat && b.domain == Domain::kFloat ? Domain::kFloat : Domain::kDouble;
}

// The largest difference so far, and the first place where it is.
void offer_max(DeltaPart& part, double value, UInt128 magnitude, std::uint64_t index) {
  if (value == 0 || value < part.max_abs) return;
  if (value == part.max_abs) {
    if (magnitude < part.max_magnitude) return;
    if (magnitude == part.max_magnitude && part.max_index && *part.max_index <= index) return;
  }
  part.max_abs = value;
  part.max_magnitude = magnitude;
  part.max_index = index;
}

template <class T>
std::size_t find_difference(const T* old_values, const T* new_values, std::size_t size, double wanted) {
  for (std::size_t i = 0; i < size; ++i)
    if (std::abs(as_double(new_values[i]) - as_double(old_values[i])) == wanted) return i;
  return 0;
}

void add_sums(DeltaPart& part, const PairSums& sums, std::size_t pairs) {
  part.abs += sums.abs;
  part.square += sums.square;
  part.old_square += sums.old_square;
  part.new_square += sums.new_square;
  part.dot += sums.dot;
  part.finite_pairs += pairs;
}

bool finite_inputs(const PairSums& sums) {
  return std::isfinite(sums.old_square) && std::isfinite(sums.new_square);
}

// |x + iy| without overflow or underflow on the way; only correctly rounded operations, unlike hypot().
double modulus(double x, double y) {
  const double larger = std::max(std::abs(x), std::abs(y));
  const double smaller = std::min(std::abs(x), std::abs(y));
  if (larger == 0 || std::isinf(larger)) return larger;
  const double ratio = smaller / larger;
  return larger * std::sqrt(1 + ratio * ratio);
}

// Real values become complex ones with imaginary part 0, from the back so that it works in place.
void widen(const Decoder& decoder, double* values, std::size_t size) {
  if (decoder.domain == Domain::kComplex) return;
  for (std::size_t i = size; i-- > 0;) {
    values[2 * i] = values[i];
    values[2 * i + 1] = 0;
  }
}

struct Kind {
  bool nan = false;
  bool infinite = false;
};

Kind kind_of(double x, double y = 0) {
  const bool nan = std::isnan(x) || std::isnan(y);
  return {nan, !nan && (std::isinf(x) || std::isinf(y))};
}

void count_kinds(const Kind& old_kind, const Kind& new_kind, DeltaPart& part) {
  part.nan_old += old_kind.nan ? 1U : 0U;
  part.nan_new += new_kind.nan ? 1U : 0U;
  part.inf_old += old_kind.infinite ? 1U : 0U;
  part.inf_new += new_kind.infinite ? 1U : 0U;
}

// A pair that is not finite on both sides: `equal` as values, so never with a NaN. No tolerance makes an
// infinity close to anything else.
void add_special_pair(const Kind& old_kind, const Kind& new_kind, bool equal, bool nan_equal,
                      std::uint64_t index, DeltaPart& part) {
  count_kinds(old_kind, new_kind, part);
  if (equal || (nan_equal && old_kind.nan && new_kind.nan)) return;
  ++part.changed;
  ++part.differing;
  offer_max(part, kInfinity, 0, index);
}

// Near 1 the digits of 1 - cos count, and they come from the difference: (|d|^2 - (|a| - |b|)^2) / (2|a||b|).
// Where the norms or the directions are far apart that cancels, and the dot product is the stable way.
double cosine_of(const DeltaPart& part) {
  const double a = std::sqrt(part.old_square);
  const double b = std::sqrt(part.new_square);
  if (a == 0 && b == 0) return 1;
  if (a == 0 || b == 0) return 0;
  const double by_dot = part.dot / a / b;
  const double gap = a - b;
  if (!(by_dot > 0.5) || std::abs(gap) > 0.5 * std::max(a, b)) return std::clamp(by_dot, -1.0, 1.0);
  return std::clamp(1 - (part.square - gap * gap) / a / b / 2, -1.0, 1.0);
}

}  // namespace

void merge(DeltaPart& part, const DeltaPart& after) {
  part.differing += after.differing;
  part.changed += after.changed;
  part.nan_old += after.nan_old;
  part.nan_new += after.nan_new;
  part.inf_old += after.inf_old;
  part.inf_new += after.inf_new;
  part.finite_pairs += after.finite_pairs;
  part.abs += after.abs;
  part.square += after.square;
  part.old_square += after.old_square;
  part.new_square += after.new_square;
  part.dot += after.dot;
  if (after.max_index) offer_max(part, after.max_abs, after.max_magnitude, *after.max_index);
  part.same_bytes = part.same_bytes && after.same_bytes;
}

Delta finish(const DeltaPart& part, bool decoded, std::uint64_t walked, std::uint64_t copies) {
  Delta delta;
  delta.decoded = decoded;
  delta.numel = walked * copies;
  delta.differing = part.differing * copies;
  delta.changed = part.changed * copies;
  delta.same_bytes = part.same_bytes;
  if (!decoded) return delta;
  delta.nan_old = part.nan_old * copies;
  delta.nan_new = part.nan_new * copies;
  delta.inf_old = part.inf_old * copies;
  delta.inf_new = part.inf_new * copies;
  delta.max_abs = part.max_abs;
  delta.max_abs_index = part.max_index;
  if (part.finite_pairs > 0) {
    const auto pairs = static_cast<double>(part.finite_pairs);
    delta.mean_abs = part.abs / pairs;
    delta.rms = std::sqrt(part.square / pairs);
  }
  delta.l2_old = std::sqrt(part.old_square);
  delta.l2_new = std::sqrt(part.new_square);
  if (part.square > 0) delta.rel_l2 = std::sqrt(part.square) / std::sqrt(part.old_square);
  delta.cosine = cosine_of(part);
  return delta;
}

DeltaAccumulator::DeltaAccumulator(const Decoder& old_decoder, const Decoder& new_decoder,
                                   const Tolerance& tolerance)
    : old_(old_decoder),
      new_(new_decoder),
      tolerance_(tolerance),
      exact_(tolerance.rtol == 0 && tolerance.atol == 0),
      same_type_(old_decoder == new_decoder),
      domain_(common_domain(old_decoder, new_decoder)) {}

void DeltaAccumulator::add(std::span<const std::byte> old_elements, std::span<const std::byte> new_elements,
                           std::uint64_t first, DeltaPart& part) {
  const std::size_t size = old_elements.size() / element_size(old_.dtype);
  const bool same = old_.dtype == new_.dtype &&
                    std::memcmp(old_elements.data(), new_elements.data(), old_elements.size()) == 0;
  part.same_bytes = part.same_bytes && same;
  switch (domain_) {
    case Domain::kOpaque: return add_opaque(old_elements, new_elements, same, part);
    case Domain::kFloat:
      return add_floats(decode_floats(old_, old_elements, old_floats_.data()),
                        decode_floats(new_, new_elements, new_floats_.data()), size, same && same_type_,
                        first, part);
    case Domain::kDouble:
      decode_doubles(old_, old_elements, first, old_values_.data());
      decode_doubles(new_, new_elements, first, new_values_.data());
      return add_floats(old_values_.data(), new_values_.data(), size, same && same_type_, first, part);
    case Domain::kInteger: {
      const bool wide = (!old_.has_sign && old_.domain == Domain::kInteger) ||
                        (!new_.has_sign && new_.domain == Domain::kInteger);
      if (!wide) return add_integers<std::int64_t>(old_elements, new_elements, size, first, part);
      if (!old_.has_sign && !new_.has_sign)
        return add_integers<std::uint64_t>(old_elements, new_elements, size, first, part);
      return add_integers<Int128>(old_elements, new_elements, size, first, part);
    }
    case Domain::kComplex:
      decode_doubles(old_, old_elements, first, old_values_.data());
      decode_doubles(new_, new_elements, first, new_values_.data());
      widen(old_, old_values_.data(), size);
      widen(new_, new_values_.data(), size);
      return add_complex(size, first, part);
  }
}

bool DeltaAccumulator::beyond(double difference, double old_size) const {
  if (difference == 0) return false;
  return !(difference <= tolerance_.atol + tolerance_.rtol * old_size && std::isfinite(difference));
}

void DeltaAccumulator::add_opaque(std::span<const std::byte> old_elements,
                                  std::span<const std::byte> new_elements, bool same, DeltaPart& part) const {
  if (same) return;
  const auto old_size = element_size(old_.dtype);
  const std::size_t size = old_elements.size() / old_size;
  std::uint64_t unequal = size;  // codes of two types have nothing in common
  if (old_.dtype == new_.dtype) {
    unequal = 0;
    for (std::size_t at = 0; at < old_elements.size(); at += old_size)
      unequal += std::memcmp(old_elements.data() + at, new_elements.data() + at, old_size) != 0 ? 1U : 0U;
  }
  part.changed += unequal;
  part.differing += unequal;
}

template <class T>
void DeltaAccumulator::add_floats(const T* old_values, const T* new_values, std::size_t size, bool same,
                                  std::uint64_t first, DeltaPart& part) {
  const FloatKernels<T>& kernel = float_kernels<T>();
  if (same) {
    // All differences are 0: only the norms remain. The same sums as pair_sums would give, bit for bit.
    const double square = kernel.square_sum(old_values, size);
    if (std::isfinite(square)) return add_sums(part, {0, 0, square, square, 0, square}, size);
    return add_with_nonfinite(old_values, new_values, size, first, part);
  }
  const PairSums sums = kernel.pair_sums(old_values, new_values, size);
  if (!finite_inputs(sums)) return add_with_nonfinite(old_values, new_values, size, first, part);
  add_finite(old_values, new_values, size, sums, part);
  if (sums.max_abs > part.max_abs)
    offer_max(part, sums.max_abs, 0, first + find_difference(old_values, new_values, size, sums.max_abs));
}

template <class T>
void DeltaAccumulator::add_finite(const T* old_values, const T* new_values, std::size_t size,
                                  const PairSums& sums, DeltaPart& part) {
  const FloatKernels<T>& kernel = float_kernels<T>();
  add_sums(part, sums, size);
  if (sums.max_abs == 0) return;
  const std::uint32_t changed = kernel.count_unequal(old_values, new_values, size);
  part.changed += changed;
  part.differing +=
      exact_ ? changed : kernel.count_beyond(old_values, new_values, size, tolerance_.rtol, tolerance_.atol);
}

// Some element is not finite, or a sum of squares overflowed.
template <class T>
void DeltaAccumulator::add_with_nonfinite(const T* old_values, const T* new_values, std::size_t size,
                                          std::uint64_t first, DeltaPart& part) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto a = as_double(old_values[i]);
    const auto b = as_double(new_values[i]);
    if (std::isfinite(a) && std::isfinite(b)) {
      old_finite_[kept] = a;
      new_finite_[kept] = b;
      index_[kept] = first + i;
      ++kept;
    } else {
      add_special_pair(kind_of(a), kind_of(b), a == b, tolerance_.nan_equal, first + i, part);
    }
  }
  if (kept == 0) return;
  const PairSums sums = kernels().f64.pair_sums(old_finite_.data(), new_finite_.data(), kept);
  add_finite(old_finite_.data(), new_finite_.data(), kept, sums, part);
  if (sums.max_abs >= part.max_abs && sums.max_abs > 0)
    offer_max(part, sums.max_abs, 0,
              index_[find_difference(old_finite_.data(), new_finite_.data(), kept, sums.max_abs)]);
}

template <class T>
void DeltaAccumulator::add_integers(std::span<const std::byte> old_elements,
                                    std::span<const std::byte> new_elements, std::size_t size,
                                    std::uint64_t first, DeltaPart& part) {
  using Magnitude = std::conditional_t<sizeof(T) == 8, std::uint64_t, UInt128>;
  std::array<T, kChunk> old_values;
  std::array<T, kChunk> new_values;
  decode_integers(old_, old_elements, old_values.data());
  decode_integers(new_, new_elements, new_values.data());
  Magnitude largest = 0;
  std::size_t largest_at = 0;
  std::uint64_t changed = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const T a = old_values[i];
    const T b = new_values[i];
    const auto magnitude =
        static_cast<Magnitude>(a < b ? static_cast<Magnitude>(b) - static_cast<Magnitude>(a)
                                     : static_cast<Magnitude>(a) - static_cast<Magnitude>(b));
    difference_[i] = static_cast<double>(magnitude);
    old_values_[i] = static_cast<double>(a);
    new_values_[i] = static_cast<double>(b);
    changed += magnitude != 0 ? 1U : 0U;
    if (magnitude > largest) {
      largest = magnitude;
      largest_at = i;
    }
  }
  PairSums sums = kernels().f64.pair_sums(kZeros.data(), difference_.data(), size);
  const PairSums norms = kernels().f64.pair_sums(old_values_.data(), new_values_.data(), size);
  sums.old_square = norms.old_square;
  sums.new_square = norms.new_square;
  sums.dot = norms.dot;
  add_sums(part, sums, size);
  part.changed += changed;
  std::uint64_t differing = changed;
  if (!exact_ && changed > 0) {
    differing = 0;
    for (std::size_t i = 0; i < size; ++i)
      differing += beyond(difference_[i], std::abs(old_values_[i])) ? 1U : 0U;
  }
  part.differing += differing;
  if (largest > 0) offer_max(part, static_cast<double>(largest), largest, first + largest_at);
}

void DeltaAccumulator::add_complex(std::size_t size, std::uint64_t first, DeltaPart& part) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double* const a = &old_values_[2 * i];
    const double* const b = &new_values_[2 * i];
    if (std::isfinite(a[0]) && std::isfinite(a[1]) && std::isfinite(b[0]) && std::isfinite(b[1])) {
      std::copy_n(a, 2, &old_finite_[2 * kept]);
      std::copy_n(b, 2, &new_finite_[2 * kept]);
      index_[kept] = first + i;
      ++kept;
    } else {
      add_special_pair(kind_of(a[0], a[1]), kind_of(b[0], b[1]), a[0] == b[0] && a[1] == b[1],
                       tolerance_.nan_equal, first + i, part);
    }
  }
  if (kept > 0) add_moduli(kept, part);
}

// The finite complex pairs: lengths of differences for the elements, all parts together for the norms.
void DeltaAccumulator::add_moduli(std::size_t size, DeltaPart& part) {
  PairSums sums = kernels().f64.pair_sums(old_finite_.data(), new_finite_.data(), 2 * size);
  std::uint64_t changed = 0;
  std::uint64_t differing = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double old_real = old_finite_[2 * i];
    const double old_imag = old_finite_[2 * i + 1];
    difference_[i] = modulus(new_finite_[2 * i] - old_real, new_finite_[2 * i + 1] - old_imag);
    changed += difference_[i] != 0 ? 1U : 0U;
    differing += beyond(difference_[i], modulus(old_real, old_imag)) ? 1U : 0U;
  }
  const PairSums lengths = kernels().f64.pair_sums(kZeros.data(), difference_.data(), size);
  sums.abs = lengths.abs;
  add_sums(part, sums, size);
  part.changed += changed;
  part.differing += differing;
  if (lengths.max_abs > 0 && lengths.max_abs >= part.max_abs)
    offer_max(part, lengths.max_abs, 0,
              index_[find_difference(kZeros.data(), difference_.data(), size, lengths.max_abs)]);
}

}  // namespace ckpt::tensor
