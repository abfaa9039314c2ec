#include "cli/version.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tensor/kernels/kernels.h"
#include "training/known_versions.h"

namespace ckpt::cli {

std::string version_text(const std::string& program) {
  std::vector<const char*> runnable;
  for (const tensor::KernelTable* table : tensor::available_kernels()) runnable.push_back(table->name);
  const std::string commit = *kBuildInfo.commit == '\0' ? "" : fmt::format("commit {}, ", kBuildInfo.commit);
  return fmt::format(
      "{} {}\n"
      "build      {}{}\n"
      "libraries  {}\n"
      "kernels    {} (this machine runs {})\n"
      "knows      Lightning up to {}, torch up to {}; newer files are read as far as they are alike\n",
      program, CKPT_VERSION, commit, kBuildInfo.compiler, kBuildInfo.libraries, tensor::kernels().name,
      fmt::join(runnable, ", "), training::kNewestLightning, training::kNewestTorch);
}

}  // namespace ckpt::cli
