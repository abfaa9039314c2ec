// How a run of pairs of elements differs, and how two neighbouring runs become one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "tensor/decode.h"
#include "tensor/delta.h"
#include "tensor/kernels/kernels.h"

namespace ckpt::tensor {

struct DeltaPart {
  std::uint64_t differing = 0, changed = 0;
  std::uint64_t nan_old = 0, nan_new = 0, inf_old = 0, inf_new = 0;
  std::uint64_t finite_pairs = 0;
  double abs = 0, square = 0, old_square = 0, new_square = 0, dot = 0;
  double max_abs = 0;
  UInt128 max_magnitude = 0;               // integers: max_abs before rounding
  std::optional<std::uint64_t> max_index;  // index of the walk
  bool same_bytes = true;
};

// `after` follows `part` directly.
void merge(DeltaPart& part, const DeltaPart& after);
Delta finish(const DeltaPart& part, bool decoded, std::uint64_t walked, std::uint64_t copies);

// Adds chunks of at most kChunk pairs, in order.
class DeltaAccumulator {
 public:
  DeltaAccumulator(const Decoder& old_decoder, const Decoder& new_decoder, const Tolerance& tolerance);
  bool decoded() const { return domain_ != Domain::kOpaque; }
  // `first` is the index of the first pair in the walk. Elements as returned by BlockReader::next.
  void add(std::span<const std::byte> old_elements, std::span<const std::byte> new_elements,
           std::uint64_t first, DeltaPart& part);

 private:
  void add_opaque(std::span<const std::byte> old_elements, std::span<const std::byte> new_elements, bool same,
                  DeltaPart& part) const;
  template <class T>
  void add_floats(const T* old_values, const T* new_values, std::size_t size, bool same, std::uint64_t first,
                  DeltaPart& part);
  template <class T>
  void add_finite(const T* old_values, const T* new_values, std::size_t size, const PairSums& sums,
                  DeltaPart& part);
  template <class T>
  void add_with_nonfinite(const T* old_values, const T* new_values, std::size_t size, std::uint64_t first,
                          DeltaPart& part);
  template <class T>
  void add_integers(std::span<const std::byte> old_elements, std::span<const std::byte> new_elements,
                    std::size_t size, std::uint64_t first, DeltaPart& part);
  void add_complex(std::size_t size, std::uint64_t first, DeltaPart& part);
  void add_moduli(std::size_t size, DeltaPart& part);
  bool beyond(double difference, double old_size) const;

  Decoder old_, new_;
  Tolerance tolerance_;
  bool exact_ = true;       // no tolerance: differing is changed
  bool same_type_ = false;  // equal bytes are equal values
  Domain domain_ = Domain::kDouble;
  alignas(64) std::array<float, kChunk> old_floats_;
  alignas(64) std::array<float, kChunk> new_floats_;
  alignas(64) std::array<double, 2 * kChunk> old_values_;
  alignas(64) std::array<double, 2 * kChunk> new_values_;
  alignas(64) std::array<double, 2 * kChunk> old_finite_;
  alignas(64) std::array<double, 2 * kChunk> new_finite_;
  alignas(64) std::array<double, kChunk> difference_;
  std::array<std::uint64_t, kChunk> index_;  // of the finite pairs
};

}  // namespace ckpt::tensor
