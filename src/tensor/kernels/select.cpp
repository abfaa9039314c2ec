#include "tensor/kernels/kernels.h"

namespace ckpt::tensor {
namespace {

struct Choice {
  const KernelTable* table;
  bool runs_here;
};

#ifdef __x86_64__
bool has_avx2() { return __builtin_cpu_supports("avx2") != 0; }
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("fma") != 0;
}
#else
bool has_avx2() { return false; }
bool has_avx512() { return false; }
#endif

}  // namespace

std::vector<const KernelTable*> available_kernels() {
  std::vector<const KernelTable*> tables;
  for (const Choice& choice : {Choice{baseline_kernels(), true}, Choice{avx2_kernels(), has_avx2()},
                               Choice{avx512_kernels(), has_avx512()}})
    if (choice.table != nullptr && choice.runs_here) tables.push_back(choice.table);
  return tables;
}

const KernelTable& kernels() {
  static const KernelTable& best = *available_kernels().back();
  return best;
}

}  // namespace ckpt::tensor
