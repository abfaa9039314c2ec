// Compiled for AVX2 where the machine has it (CMakeLists.txt); elsewhere there is no such table.
#ifdef __AVX2__
#define CKPT_KERNELS avx2_kernels
#define CKPT_KERNELS_NAME "avx2"
#define CKPT_STRIP 4
#include "tensor/kernels/implementation.h"
#else
#include "tensor/kernels/kernels.h"

namespace ckpt::tensor {
const KernelTable* avx2_kernels() { return nullptr; }
}  // namespace ckpt::tensor
#endif
