#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "tensor/decode.h"
#include "tensor/explain_parts.h"
#include "tensor/float_codes.h"
#include "tensor/raw_elements.h"

namespace ckpt::tensor {
namespace {

constexpr std::uint64_t kUlps = 2;
constexpr std::size_t kFewestPairs = 3;
constexpr std::size_t kMostMagnitudes = 64;  // kept; with one bit each enough for any evidence

// The factors that every pair so far allows, and what the pairs say.
class FactorRange {
 public:
  explicit FactorRange(DType dtype) : dtype_(dtype), codes_(float_codes(dtype)) {}

  // False if no factor is left.
  bool add(double old_value, double new_value, std::uint64_t new_code) {
    if (!std::isfinite(old_value) || !std::isfinite(new_value))
      return old_value == new_value || (std::isnan(old_value) && std::isnan(new_value));
    if (old_value == 0) return new_value == 0;
    narrow(old_value, new_code);
    if (new_value != 0) add_evidence(old_value, new_value);
    return low_ <= high_;
  }

  bool contains(double factor) const { return low_ <= factor && factor <= high_; }
  bool informative() const { return pairs_ >= kFewestPairs && bits_ >= kEvidenceBits; }
  double middle() const { return low_ / 2 + high_ / 2; }

 private:
  // What the dtype can hold within kUlps of new_code lies between two of its values; products in between
  // round to codes in between.
  void narrow(double old_value, std::uint64_t new_code) {
    const std::uint64_t lowest = codes_.sign - codes_.largest;
    const std::uint64_t position = codes_.position(new_code);
    const double below = value_at(std::max(position - kUlps, lowest));
    const double above = value_at(std::min(position + kUlps, codes_.sign + codes_.largest));
    const double one = below / old_value;
    const double other = above / old_value;
    low_ = std::max(low_, std::min(one, other));
    high_ = std::min(high_, std::max(one, other));
  }

  double value_at(std::uint64_t position) const {
    return position < codes_.sign ? -float_value(dtype_, codes_.sign - position)
                                  : float_value(dtype_, position - codes_.sign);
  }

  void add_evidence(double old_value, double new_value) {
    pairs_ = std::min(pairs_ + 1, kFewestPairs);
    if (bits_ >= kEvidenceBits || count_ == kMostMagnitudes) return;
    const double magnitude = std::abs(old_value);
    const auto end = magnitudes_.begin() + static_cast<std::ptrdiff_t>(count_);
    if (std::find(magnitudes_.begin(), end, magnitude) != end) return;
    magnitudes_[count_] = magnitude;
    ++count_;
    if (count_ == 1) return;  // any factor fits one
    bits_ +=
        std::min(codes_.mantissa - 2, std::max(significant_bits(old_value), significant_bits(new_value)));
  }

  DType dtype_;
  FloatCodes codes_;
  double low_ = -std::numeric_limits<double>::infinity();
  double high_ = std::numeric_limits<double>::infinity();
  std::size_t pairs_ = 0;
  double bits_ = 0;
  std::array<double, kMostMagnitudes> magnitudes_{};
  std::size_t count_ = 0;
};

// What a sample allows; nullopt if it allows none. Whatever comes of it is verified, so the first elements
// that say enough will do.
std::optional<FactorRange> factors(const TensorRef& old_tensor, const TensorRef& new_tensor) {
  constexpr std::size_t kSample = 16 * kChunk;
  const DType dtype = old_tensor.view->dtype;
  const Decoder decoder = make_decoder(*old_tensor.view);
  const std::size_t size = component_size(dtype);
  FactorRange range(dtype);
  std::array<double, kChunk> old_values{};
  std::array<double, kChunk> new_values{};
  std::size_t seen = 0;
  bool none = false;
  visit_pairs(old_tensor, new_tensor, kChunk, [&](auto old_elements, auto new_elements, std::size_t count) {
    decode_doubles(decoder, old_elements, 0, old_values.data());
    decode_doubles(decoder, new_elements, 0, new_values.data());
    for (std::size_t i = 0; i < count && !none; ++i)
      none = !range.add(old_values[i], new_values[i], load_code(new_elements.data() + i * size, size));
    seen += count;
    return !none && (seen < kSample || !range.informative());
  });
  return none ? std::nullopt : std::optional(range);
}

bool is_scaled(const TensorRef& old_tensor, const TensorRef& new_tensor, double factor) {
  const DType dtype = old_tensor.view->dtype;
  const Decoder decoder = make_decoder(*old_tensor.view);
  const FloatCodes codes = float_codes(dtype);
  std::array<double, kChunk> values{};
  std::array<std::byte, kChunk * sizeof(double)> wanted{};
  return visit_pairs(old_tensor, new_tensor, kChunk,
                     [&](auto old_elements, auto new_elements, std::size_t count) {
                       decode_doubles(decoder, old_elements, 0, values.data());
                       // What is not finite stays what it is.
                       for (std::size_t i = 0; i < count; ++i)
                         values[i] = std::isfinite(values[i]) ? values[i] * factor : values[i];
                       round_to(dtype, std::span<const double>(values).first(count), wanted.data());
                       const CodeDistance distance =
                           code_distance(std::span(wanted).first(count * codes.size), new_elements, codes);
                       return distance.most <= kUlps && !distance.odd;
                     });
}

// The middle, rounded to the fewest decimal digits that stay inside.
double shortest(const FactorRange& range) {
  for (int digits = 0; digits < 17; ++digits) {
    const std::string text = fmt::format("{:.{}e}", range.middle(), digits);
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    if (range.contains(value)) return value;
  }
  return range.middle();
}

bool can_scale(const TensorView& old_view, const TensorView& new_view) {
  // float8_e8m0fnu has neither zero nor sign nor digits.
  return old_view.dtype == new_view.dtype && old_view.shape == new_view.shape &&
         has_float_codes(old_view.dtype) && old_view.dtype != DType::kFloat8E8M0Fnu &&
         checked_numel(old_view.shape).value_or(0) >= kFewestPairs;
}

}  // namespace

std::optional<double> find_scale(const TensorRef& old_tensor, const TensorRef& new_tensor) {
  if (!can_scale(*old_tensor.view, *new_tensor.view)) return std::nullopt;
  return unless_too_costly([&]() -> std::optional<double> {
    const auto range = factors(old_tensor, new_tensor);
    if (!range || !range->informative() || range->contains(1)) return std::nullopt;
    const double factor = shortest(*range);
    if (is_scaled(old_tensor, new_tensor, factor)) return factor;
    // At the range's very edge a division may have rounded outwards; its middle is safe.
    if (is_scaled(old_tensor, new_tensor, range->middle())) return range->middle();
    return std::nullopt;
  });
}

}  // namespace ckpt::tensor
