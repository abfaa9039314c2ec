// The checkpoints of a folder of fixtures.
#pragma once

#include <algorithm>
#include <filesystem>
#include <vector>

#include "checkpoint/open.h"

namespace ckpt::test {

// Files and checkpoint folders below `folder` in name order; without what describes them.
inline std::vector<std::filesystem::path> checkpoints_below(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::vector<fs::path> found;
  for (auto it = fs::recursive_directory_iterator(folder); it != fs::recursive_directory_iterator(); ++it) {
    if (it->is_directory()) {
      if (!is_checkpoint_folder(it->path().string())) continue;
      it.disable_recursion_pending();
    } else if (it->path().extension() == ".json" || it->path().extension() == ".md" ||
               it->path().filename() == "verdicts.txt") {
      continue;
    }
    found.push_back(it->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace ckpt::test
