#include "tests/tensor/naive.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "tensor/decode.h"
#include "tensor/raw_elements.h"

namespace ckpt::tensor {
namespace {

template <class T>
long double as(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return static_cast<long double>(value);
}

long double float_component(DType dtype, const std::byte* from) {
  const std::size_t size = component_size(dtype);
  if (size == 8) return as<double>(from);
  if (size == 4) return as<float>(from);
  if (size == 1) return static_cast<long double>(float8_value(dtype, std::to_integer<std::uint8_t>(*from)));
  std::uint16_t code;
  std::memcpy(&code, from, 2);
  const bool brain = dtype == DType::kBFloat16 || dtype == DType::kBComplex32;
  return static_cast<long double>(brain ? bfloat16_value(code) : half_value(code));
}

long double integer(DType dtype, const std::byte* from) {
  if (dtype == DType::kBool) return *from == std::byte{0} ? 0 : 1;
  const bool is_signed = dtype_class(dtype) == DTypeClass::kSInt;
  switch (element_size(dtype)) {
    case 1: return is_signed ? as<std::int8_t>(from) : as<std::uint8_t>(from);
    case 2: return is_signed ? as<std::int16_t>(from) : as<std::uint16_t>(from);
    case 4: return is_signed ? as<std::int32_t>(from) : as<std::uint32_t>(from);
    default: return is_signed ? as<std::int64_t>(from) : as<std::uint64_t>(from);
  }
}

bool is_finite(const NaiveValue& value) { return std::isfinite(value.real) && std::isfinite(value.imag); }
bool is_nan(const NaiveValue& value) { return std::isnan(value.real) || std::isnan(value.imag); }

Number number(DType dtype, long double value) {
  if (dtype_class(dtype) == DTypeClass::kUInt) return static_cast<std::uint64_t>(value);
  if (dtype_class(dtype) == DTypeClass::kFloat) return static_cast<double>(value);
  return static_cast<std::int64_t>(value);
}

void spread(DType dtype, std::span<const NaiveValue> finite, Stats& stats) {
  long double real = 0, imag = 0, squares = 0, deviations = 0;
  const auto count = static_cast<long double>(finite.size());
  for (const auto& value : finite) {
    real += value.real;
    imag += value.imag;
    squares += value.real * value.real + value.imag * value.imag;
  }
  real /= count;
  imag /= count;
  for (const auto& value : finite)
    deviations += (value.real - real) * (value.real - real) + (value.imag - imag) * (value.imag - imag);
  stats.mean = static_cast<double>(real);
  if (dtype_class(dtype) == DTypeClass::kComplex) stats.mean_imag = static_cast<double>(imag);
  stats.std = static_cast<double>(std::sqrt(deviations / count));
  stats.l2 = static_cast<double>(std::sqrt(squares));
}

bool near(double found, double wanted, double scale) {
  if (std::isnan(found) && std::isnan(wanted)) return true;
  return found == wanted || std::abs(found - wanted) <= 1e-12 * std::max(std::abs(wanted), scale);
}

template <class T>
bool same_bits(const T& a, const T& b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

bool same_number(const Number& a, const Number& b) {
  return a.index() == b.index() && (a == b || same_bits(to_double(a), to_double(b)));
}

void note(std::string& text, const char* field, bool equal, double found, double wanted) {
  if (!equal) text += fmt::format("{}: {} instead of {}; ", field, found, wanted);
}
void note_count(std::string& text, const char* field, std::uint64_t found, std::uint64_t wanted) {
  if (found != wanted) text += fmt::format("{}: {} instead of {}; ", field, found, wanted);
}
constexpr std::uint64_t kNone = ~std::uint64_t{0};

}  // namespace

std::vector<NaiveValue> naive_values(DType dtype, std::span<const std::byte> elements) {
  std::vector<NaiveValue> values;
  const std::size_t size = element_size(dtype);
  for (std::size_t at = 0; at < elements.size(); at += size) {
    const std::byte* const from = elements.data() + at;
    if (!is_floating(dtype)) {
      values.push_back({integer(dtype, from), 0});
    } else if (dtype_class(dtype) == DTypeClass::kComplex) {
      values.push_back({float_component(dtype, from), float_component(dtype, from + size / 2)});
    } else {
      values.push_back({float_component(dtype, from), 0});
    }
  }
  return values;
}

Stats naive_stats(DType dtype, std::span<const NaiveValue> values) {
  Stats stats;
  stats.numel = values.size();
  const bool real = dtype_class(dtype) != DTypeClass::kComplex;
  std::vector<NaiveValue> finite;
  std::vector<long double> ordered;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const NaiveValue& value = values[i];
    const long double infinite = std::isinf(value.real) ? value.real : value.imag;
    if (is_finite(value)) finite.push_back(value);
    if (!is_finite(value) && !stats.first_nonfinite) stats.first_nonfinite = i;
    if (is_nan(value)) ++stats.nan;
    if (is_nan(value)) continue;
    if (!is_finite(value)) ++(infinite > 0 ? stats.posinf : stats.neginf);
    if (value.real == 0 && value.imag == 0) ++stats.zeros;
    if (real) ordered.push_back(value.real);
    if (real && value.real < 0) {
      if (stats.negative == 0) stats.first_negative = i;
      ++stats.negative;
    }
  }
  if (!ordered.empty()) {
    stats.min = number(dtype, *std::ranges::min_element(ordered) + 0.0L);
    stats.max = number(dtype, *std::ranges::max_element(ordered) + 0.0L);
  }
  stats.mean = stats.std = std::numeric_limits<double>::quiet_NaN();
  if (!real) stats.mean_imag = stats.mean;
  if (!finite.empty()) spread(dtype, finite, stats);
  return stats;
}

Delta naive_delta(std::span<const NaiveValue> old_values, std::span<const NaiveValue> new_values,
                  const Tolerance& tolerance) {
  Delta delta;
  delta.numel = old_values.size();
  long double pairs = 0, sum = 0, squares = 0, old_squares = 0, new_squares = 0, dot = 0;
  for (std::size_t i = 0; i < old_values.size(); ++i) {
    const NaiveValue& a = old_values[i];
    const NaiveValue& b = new_values[i];
    delta.nan_old += is_nan(a) ? 1U : 0U;
    delta.nan_new += is_nan(b) ? 1U : 0U;
    delta.inf_old += !is_nan(a) && !is_finite(a) ? 1U : 0U;
    delta.inf_new += !is_nan(b) && !is_finite(b) ? 1U : 0U;
    const bool equal =
        (tolerance.nan_equal && is_nan(a) && is_nan(b)) || (a.real == b.real && a.imag == b.imag);
    long double size = std::numeric_limits<long double>::infinity();
    if (is_finite(a) && is_finite(b)) {
      size = std::hypot(b.real - a.real, b.imag - a.imag);
      ++pairs;
      sum += size;
      squares += size * size;
      old_squares += a.real * a.real + a.imag * a.imag;
      new_squares += b.real * b.real + b.imag * b.imag;
      dot += a.real * b.real + a.imag * b.imag;
    }
    if (equal) continue;
    ++delta.changed;
    const auto allowed = static_cast<long double>(tolerance.atol) +
                         static_cast<long double>(tolerance.rtol) * std::hypot(a.real, a.imag);
    if (!(std::isfinite(size) && size <= allowed)) ++delta.differing;
    if (static_cast<double>(size) > delta.max_abs) {
      delta.max_abs = static_cast<double>(size);
      delta.max_abs_index = i;
    }
  }
  if (pairs > 0) delta.mean_abs = static_cast<double>(sum / pairs);
  if (pairs > 0) delta.rms = static_cast<double>(std::sqrt(squares / pairs));
  if (squares > 0) delta.rel_l2 = static_cast<double>(std::sqrt(squares) / std::sqrt(old_squares));
  const long double product = std::sqrt(old_squares) * std::sqrt(new_squares);
  delta.cosine =
      product > 0 ? static_cast<double>(dot / product) : (old_squares == 0 && new_squares == 0 ? 1 : 0);
  return delta;
}

std::string difference(const Stats& found, const Stats& wanted) {
  std::string text;
  note_count(text, "numel", found.numel, wanted.numel);
  note_count(text, "nan", found.nan, wanted.nan);
  note_count(text, "posinf", found.posinf, wanted.posinf);
  note_count(text, "neginf", found.neginf, wanted.neginf);
  note_count(text, "zeros", found.zeros, wanted.zeros);
  note_count(text, "negative", found.negative, wanted.negative);
  note_count(text, "first_nonfinite", found.first_nonfinite.value_or(kNone),
             wanted.first_nonfinite.value_or(kNone));
  note_count(text, "first_negative", found.first_negative.value_or(kNone),
             wanted.first_negative.value_or(kNone));
  note(text, "min", same_number(found.min, wanted.min), to_double(found.min), to_double(wanted.min));
  note(text, "max", same_number(found.max, wanted.max), to_double(found.max), to_double(wanted.max));
  // A mean near 0 of large values is only as exact as the values.
  const double scale = std::isfinite(wanted.l2) ? wanted.l2 : 0;
  note(text, "mean", near(found.mean, wanted.mean, scale), found.mean, wanted.mean);
  note(text, "mean_imag", near(found.mean_imag, wanted.mean_imag, scale), found.mean_imag, wanted.mean_imag);
  // A long double sum of equal 64-bit integers is rounded, so the reference's own spread is: the table of
  // exact numbers in stats_test.cpp is what holds the digits of std.
  note(text, "std", near(found.std, wanted.std, scale), found.std, wanted.std);
  note(text, "l2", near(found.l2, wanted.l2, 0), found.l2, wanted.l2);
  return text;
}

std::string difference(const Delta& found, const Delta& wanted) {
  std::string text;
  note_count(text, "numel", found.numel, wanted.numel);
  note_count(text, "differing", found.differing, wanted.differing);
  note_count(text, "changed", found.changed, wanted.changed);
  note_count(text, "nan_old", found.nan_old, wanted.nan_old);
  note_count(text, "nan_new", found.nan_new, wanted.nan_new);
  note_count(text, "inf_old", found.inf_old, wanted.inf_old);
  note_count(text, "inf_new", found.inf_new, wanted.inf_new);
  note(text, "max_abs", near(found.max_abs, wanted.max_abs, 0), found.max_abs, wanted.max_abs);
  note_count(text, "max_abs_index", found.max_abs_index.value_or(kNone),
             wanted.max_abs_index.value_or(kNone));
  note(text, "mean_abs", near(found.mean_abs, wanted.mean_abs, 0), found.mean_abs, wanted.mean_abs);
  note(text, "rms", near(found.rms, wanted.rms, 0), found.rms, wanted.rms);
  note(text, "rel_l2", near(found.rel_l2, wanted.rel_l2, 0), found.rel_l2, wanted.rel_l2);
  note(text, "cosine", near(found.cosine, wanted.cosine, 1), found.cosine, wanted.cosine);
  return text;
}

bool identical(const Stats& a, const Stats& b) {
  return a.decoded == b.decoded && a.numel == b.numel && a.nan == b.nan && a.posinf == b.posinf &&
         a.neginf == b.neginf && a.zeros == b.zeros && a.negative == b.negative &&
         a.first_nonfinite == b.first_nonfinite && a.first_negative == b.first_negative &&
         same_number(a.min, b.min) && same_number(a.max, b.max) && same_bits(a.mean, b.mean) &&
         same_bits(a.mean_imag, b.mean_imag) && same_bits(a.std, b.std) && same_bits(a.l2, b.l2);
}

bool identical(const Delta& a, const Delta& b) {
  return a.decoded == b.decoded && a.numel == b.numel && a.differing == b.differing &&
         a.changed == b.changed && a.nan_old == b.nan_old && a.nan_new == b.nan_new &&
         a.inf_old == b.inf_old && a.inf_new == b.inf_new && same_bits(a.max_abs, b.max_abs) &&
         a.max_abs_index == b.max_abs_index && same_bits(a.mean_abs, b.mean_abs) && same_bits(a.rms, b.rms) &&
         same_bits(a.rel_l2, b.rel_l2) && same_bits(a.cosine, b.cosine) && a.same_bytes == b.same_bytes;
}

}  // namespace ckpt::tensor
