// The last line of ckpt-lint, and the exit status in words.
#pragma once

#include <cstddef>

#include "cli/lint_configs.h"
#include "report/report.h"

namespace ckpt::cli {

// "2 errors, 1 warning, 3 suppressed in 1 checkpoint · 73 rules of recommended", and as a hint
// "run ckpt-lint --explain ID for details".
void set_verdict(report::Report& report, const LintConfigs& configs, std::size_t files, std::size_t failed,
                 int status);

}  // namespace ckpt::cli
