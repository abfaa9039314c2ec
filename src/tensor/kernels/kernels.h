// The inner loops: all hot code, and nothing else. One table of function pointers per instruction set, all
// from the same source (implementation.h); kernels() chooses once. All tables return the same bits.
//
// What makes the bits the same: element i of a chunk belongs to lane i % 16, a lane adds its elements in
// order, the lanes are added as a fixed binary tree, a short last row is padded with neutral elements, all
// sums are double, and nothing is contracted (-ffp-contract=off).
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "tensor/float_codes.h"

namespace ckpt::tensor {

inline constexpr std::size_t kLanes = 16;
// Elements that one call sees. Part of the definition of every sum: changing it changes results.
inline constexpr std::size_t kChunk = 1024;

// Sums over pairs; d = new - old. Any non-finite input makes old_square or new_square non-finite.
struct PairSums {
  double abs = 0;     // sum |d|
  double square = 0;  // sum d*d
  double old_square = 0;
  double new_square = 0;
  double max_abs = 0;  // max |d|
  double dot = 0;      // sum old*new
};

// sum is non-finite if any input is; min and max hold for finite inputs only. Zeros may have either sign.
struct Range {
  double sum = 0;
  double min = 0;
  double max = 0;
};

struct SignCounts {
  std::uint32_t zeros = 0;
  std::uint32_t negative = 0;
  std::uint32_t subnormal = 0;  // neither 0 nor as large as the smallest normal number of T
};

// Pointers are aligned for their type; 0 < size <= 2 * kChunk.
template <class T>
struct FloatKernels {
  PairSums (*pair_sums)(const T* old_values, const T* new_values, std::size_t size);
  // pair_sums().old_square of the same values, bit for bit.
  double (*square_sum)(const T* values, std::size_t size);
  std::uint32_t (*count_unequal)(const T* old_values, const T* new_values, std::size_t size);
  // Pairs that are unequal and not |d| <= atol + rtol * |old|.
  std::uint32_t (*count_beyond)(const T* old_values, const T* new_values, std::size_t size, double rtol,
                                double atol);
  Range (*range)(const T* values, std::size_t size);
  double (*square_deviation)(const T* values, std::size_t size, double mean);  // sum (x - mean)^2
  SignCounts (*signs)(const T* values, std::size_t size);
};

// Elements of a small type as numbers, exactly. Elements need no alignment.
template <class T>
using Decode = void (*)(const std::byte* elements, std::size_t size, T* out);

struct Decoders {
  Decode<float> float16, bfloat16, float8_e5m2, float8_e4m3fn, float8_e5m2fnuz, float8_e4m3fnuz,
      float8_e8m0fnu, int8, uint8, int16, uint16, boolean;
  Decode<double> int32, uint32, float32;
};

// How far codes of one floating type are apart (float_codes.h), in units in the last place.
struct CodeDistance {
  std::uint64_t most = 0;  // between finite codes
  bool odd = false;        // a pair that is not finite is neither equal nor two NaNs
};
using CodeDistanceOf = CodeDistance (*)(const std::byte* old_codes, const std::byte* new_codes,
                                        std::size_t size, const FloatCodes& codes);
// By the bytes of a code.
struct DistanceKernels {
  CodeDistanceOf of_1, of_2, of_4, of_8;
};

struct KernelTable {
  const char* name;
  FloatKernels<float> f32;
  FloatKernels<double> f64;
  Decoders decode;
  DistanceKernels distance;
};

// Null if the program was not compiled for the instruction set.
const KernelTable* baseline_kernels();
const KernelTable* avx2_kernels();
const KernelTable* avx512_kernels();

std::vector<const KernelTable*> available_kernels();  // those that this machine runs, the fastest last
const KernelTable& kernels();                         // the fastest; chosen at the first call

template <class T>
const FloatKernels<T>& float_kernels() {
  if constexpr (std::is_same_v<T, float>) {
    return kernels().f32;
  } else {
    return kernels().f64;
  }
}

}  // namespace ckpt::tensor
