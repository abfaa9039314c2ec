// What is in one tensor, in one pass over its storage. Logical elements in C order; memory is bounded by a
// few blocks whatever the tensor's size. The result does not depend on instruction set, number of threads
// or block size: fixed segments, 16 lanes, double sums, combined in order (and -ffp-contract=off).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "tensor/tensor_view.h"

namespace ckpt::tensor {

// A number with its exact type: int64 beyond 2^53 keeps its digits.
using Number = std::variant<std::monostate, std::int64_t, std::uint64_t, double>;
double to_double(const Number& number);  // NaN for monostate

struct Stats {
  bool decoded = true;      // false: a dtype without decoder (bits8, float4): only numel holds
  std::uint64_t numel = 0;  // logical elements
  std::uint64_t nan = 0;  // complex: elements with a NaN part; an infinite one counts once, by its real part
                          // if that is infinite, else by its imaginary part
  std::uint64_t posinf = 0;
  std::uint64_t neginf = 0;
  std::uint64_t zeros = 0;                       // +0 and -0
  std::uint64_t negative = 0;                    // < 0, including -inf
  std::uint64_t subnormal = 0;                   // of float32, float64 and bfloat16
  std::optional<std::uint64_t> first_nonfinite;  // flat index in C order
  std::optional<std::uint64_t> first_negative;
  std::optional<std::uint64_t> first_subnormal;
  Number min, max;  // over the elements that are not NaN; monostate if there are none, or complex
  // Over the finite elements; NaN if there are none. Complex: the real part. Exact to its last bits, also where
  // the elements cancel, but for float64 whose sum overflows.
  double mean = 0;
  double mean_imag = 0;                // complex only
  double std = 0;                      // population standard deviation over the finite elements
  double l2 = 0;                       // sqrt of the sum of squares of the finite elements
  std::optional<std::uint32_t> crc32;  // of the storage, if the job asked for it and the tensor is all of it

  std::uint64_t nonfinite() const { return nan + posinf + neginf; }
};

// Quantized tensors are dequantized for the numbers; those without known scales count codes.
// Throws what reading the storage throws. Requires: view.in_bounds and a storage with bytes (or numel 0).
Stats compute_stats(const TensorView& view, const Storage& storage);

// Many tensors on up to `jobs` threads; large ones are cut into fixed segments. result[i] belongs to todo[i]
// and equals compute_stats of it, bit for bit.
struct StatsJob {
  const TensorView* view = nullptr;
  const Storage* storage = nullptr;
  bool checksum = false;  // see Stats::crc32: on the way, while the bytes are in the cache
};
std::vector<Stats> compute_stats_all(std::span<const StatsJob> todo, std::size_t jobs);

// SHA-256 over the elements, contiguous in C order, little-endian, conj and neg resolved; raw codes for
// quantized and packed types.
std::string compute_sha256(const TensorView& view, const Storage& storage);

}  // namespace ckpt::tensor
