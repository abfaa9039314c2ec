// What every machine of the architecture has: SSE2 on x86-64, NEON on AArch64.
#define CKPT_KERNELS baseline_kernels
#define CKPT_KERNELS_NAME "baseline"
#define CKPT_STRIP 4
#include "tensor/kernels/implementation.h"
