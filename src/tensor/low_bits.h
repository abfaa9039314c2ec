// How many low bits of the mantissa no element uses: of float32 numbers that were bfloat16 16, of those that
// were float16 13. Zeros and powers of two use none, so they say nothing.
#pragma once

#include <cstdint>

#include "tensor/stats.h"

namespace ckpt::tensor {

struct LowBits {
  int unused = 23;            // low bits that are 0 in every element; 23 is the whole mantissa
  std::uint64_t telling = 0;  // elements that use some bit of the mantissa
};

// Of a float32 tensor that is readable (see compute_stats). Stops where fewer than `enough` bits are unused:
// nearly always in the first block.
LowBits find_low_bits(const StatsJob& tensor, int enough);

}  // namespace ckpt::tensor
