// ckpt-lint --watch: a line for each checkpoint of a training run as it appears.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lint/configs.h"
#include "lint/run.h"

namespace ckpt::cli {

// The checkpoints that are in the folder now.
using ListCheckpoints = std::function<std::vector<std::string>()>;

// Until SIGINT or SIGTERM. Each new checkpoint is linted and compared with the one before it in its folder,
// in words and by the rules for --against (unless `settings` has a base). Returns the worst status of all
// checkpoints as they were at the end. Throws Error{kUsage} for a folder that is not there and for rule files
// that are not understood.
int watch(const std::string& folder, const ListCheckpoints& list, lint::Configs& configs,
          const lint::Settings& settings);

}  // namespace ckpt::cli
