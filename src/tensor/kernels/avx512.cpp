// Compiled for AVX-512 where the machine has it (CMakeLists.txt); elsewhere there is no such table.
#ifdef __AVX512F__
#define CKPT_KERNELS avx512_kernels
#define CKPT_KERNELS_NAME "avx512"
#define CKPT_STRIP 16
#include "tensor/kernels/implementation.h"
#else
#include "tensor/kernels/kernels.h"

namespace ckpt::tensor {
const KernelTable* avx512_kernels() { return nullptr; }
}  // namespace ckpt::tensor
#endif
