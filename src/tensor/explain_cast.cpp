#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "tensor/decode.h"
#include "tensor/explain_parts.h"
#include "tensor/float_codes.h"
#include "tensor/raw_elements.h"

namespace ckpt::tensor {
namespace {

constexpr DType kSaturating = DType::kFloat8E4M3Fn;
// The largest value that is rounded to its 448 and not beyond: a tie goes to the even neighbour.
constexpr float kSaturatesAbove = 464;

bool is_kind(DType dtype, DTypeClass cls) { return dtype_class(dtype) == cls; }
bool is_integer(DType dtype) {
  return is_kind(dtype, DTypeClass::kSInt) || is_kind(dtype, DTypeClass::kUInt) ||
         is_kind(dtype, DTypeClass::kBool);
}
bool can_cast(DType from, DType to) {
  const auto readable = [](DType dtype) { return is_floating(dtype) || is_integer(dtype); };
  return from != to && readable(from) && readable(to) &&
         is_kind(from, DTypeClass::kComplex) == is_kind(to, DTypeClass::kComplex);
}

// One chunk of the walk, cast and compared. Complex elements are two parts each.
class CastCheck {
 public:
  CastCheck(const TensorView& from, const TensorView& to)
      : decoder_(make_decoder(from)), to_(real_dtype(to.dtype)), size_(component_size(to.dtype)) {}

  bool holds(std::span<const std::byte> from, std::span<const std::byte> to) {
    const std::size_t count = to.size() / size_;
    if (decoder_.domain == Domain::kInteger) {
      decode_integers(decoder_, from, integers_.data());
      return is_integer(to_) ? integers_hold(to, count) : wide_integers_hold(to, count);
    }
    decode_doubles(decoder_, from, 0, values_.data());
    if (!is_integer(to_)) return floats_hold(to, count);
    for (std::size_t i = 0; i < count; ++i) {
      // 2^65 is beyond every type, and the conversion is defined.
      if (!(std::abs(values_[i]) < 0x1p65) || values_[i] != std::trunc(values_[i])) return false;
      integers_[i] = static_cast<Int128>(values_[i]);
    }
    return integers_hold(to, count);
  }

 private:
  bool integers_hold(std::span<const std::byte> to, std::size_t count) {
    Decoder decoder;
    decoder.dtype = to_;
    decode_integers(decoder, to, found_.data());
    return std::equal(integers_.begin(), integers_.begin() + static_cast<std::ptrdiff_t>(count),
                      found_.begin());
  }

  // 64-bit integers: rounded to float32 first where torch does so, which is not the same as by way of
  // float64.
  bool wide_integers_hold(std::span<const std::byte> to, std::size_t count) {
    const bool is_double = to_ == DType::kFloat64;
    for (std::size_t i = 0; i < count; ++i) {
      const Int128 value = integers_[i];
      if (value <= std::numeric_limits<std::int64_t>::max()) {
        const auto narrow = static_cast<std::int64_t>(value);
        values_[i] = is_double ? static_cast<double>(narrow) : as_double(static_cast<float>(narrow));
      } else {
        const auto narrow = static_cast<std::uint64_t>(value);
        values_[i] = is_double ? static_cast<double>(narrow) : as_double(static_cast<float>(narrow));
      }
    }
    return floats_hold(to, count);
  }

  bool floats_hold(std::span<const std::byte> to, std::size_t count) {
    round_to(to_, std::span<const double>(values_).first(count), wanted_.data());
    if (std::memcmp(wanted_.data(), to.data(), to.size()) == 0) return true;
    const FloatCodes codes = float_codes(to_);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t wanted = load_code(wanted_.data() + i * size_, size_);
      const std::uint64_t found = load_code(to.data() + i * size_, size_);
      if (wanted == found) continue;
      const bool may_be_nan =
          codes.nan(wanted) ||
          (to_ == kSaturating && std::abs(static_cast<float>(values_[i])) > kSaturatesAbove);
      if (!may_be_nan || !codes.nan(found)) return false;
    }
    return true;
  }

  Decoder decoder_;
  DType to_;
  std::size_t size_;  // of a part
  std::array<double, 2 * kChunk> values_{};
  std::array<Int128, kChunk> integers_{};
  std::array<Int128, kChunk> found_{};
  std::array<std::byte, 2 * kChunk * sizeof(double)> wanted_{};
};

}  // namespace

bool is_cast(const TensorRef& from, const TensorRef& to) {
  if (from.view->shape != to.view->shape || !can_cast(from.view->dtype, to.view->dtype)) return false;
  if (checked_numel(from.view->shape).value_or(0) == 0) return false;
  return unless_too_costly([&] {
    CastCheck check(*from.view, *to.view);
    return visit_pairs(from, to, kChunk, [&](auto old_elements, auto new_elements, std::size_t) {
      return check.holds(old_elements, new_elements);
    });
  });
}

}  // namespace ckpt::tensor
