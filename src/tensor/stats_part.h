// Statistics of a run of elements, and how two neighbouring runs become one. Mean and spread are kept as
// mean and sum of squared deviations (Chan, Golub, LeVeque 1979): stable where the mean is far larger than
// the spread, which a sum of squares is not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/crc32.h"
#include "tensor/decode.h"
#include "tensor/exact_sum.h"
#include "tensor/kernels/kernels.h"
#include "tensor/stats.h"

namespace ckpt::tensor {

struct Moments {
  std::uint64_t count = 0;
  double mean = 0;
  double deviation = 0;  // sum (x - mean)^2
  ExactSum sum = {};     // of the chunks' sums; the mean comes from it while it is finite
};

struct StatsPart {
  std::uint64_t nan = 0, posinf = 0, neginf = 0, zeros = 0, negative = 0, subnormal = 0;
  std::optional<std::uint64_t> first_nonfinite, first_negative, first_subnormal;  // indexes of the walk
  std::optional<double> min, max;
  std::optional<Int128> min_integer, max_integer;  // of integral types; then min and max are not used
  Moments real, imag;
  Int128 integer_sum = 0;  // of integral types: exact, and the mean comes from it
  Crc32 crc;               // where the job asked for it
};

// `after` follows `part` directly.
void merge(StatsPart& part, const StatsPart& after, const Decoder& decoder);
Stats finish(const StatsPart& part, const Decoder& decoder, std::uint64_t walked, std::uint64_t copies);

// Adds chunks of at most kChunk elements, in order.
class StatsAccumulator {
 public:
  explicit StatsAccumulator(const Decoder& decoder) : decoder_(decoder) {}
  // `first` is the index of elements[0] in the walk. `elements` as BlockReader::next gives them.
  void add(std::span<const std::byte> elements, std::uint64_t first, StatsPart& part);

 private:
  template <class T>
  void add_floats(const T* values, std::size_t size, std::uint64_t first, StatsPart& part);
  template <class T>
  void add_signs(const T* values, std::size_t size, std::uint64_t first, StatsPart& part);
  template <class T>
  void add_with_nonfinite(const T* values, std::size_t size, std::uint64_t first, StatsPart& part);
  template <class T>
  void add_finite(const T* values, std::size_t size, const Range& range, StatsPart& part);
  template <class T>
  void add_integers(std::span<const std::byte> elements, std::uint64_t first, StatsPart& part);
  void add_complex(std::span<const std::byte> elements, std::uint64_t first, StatsPart& part);

  Decoder decoder_;
  alignas(64) std::array<float, kChunk> floats_;
  alignas(64) std::array<double, 2 * kChunk> values_;
  alignas(64) std::array<double, kChunk> finite_;
  alignas(64) std::array<double, kChunk> finite_imag_;
};

}  // namespace ckpt::tensor
