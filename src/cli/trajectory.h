// ckpt-diff --trajectory. Private to ckpt_diff.cpp.
#pragma once

#include <string>

#include "cli/options.h"

namespace ckpt::cli {

// The exit status. Throws Error{kUsage}.
int run_trajectory(const std::string& program, const Parsed& parsed);

}  // namespace ckpt::cli
