// The last line of ckpt-lint, and the exit status in words.
#pragma once

#include <cstddef>
#include <vector>

#include "lint/configs.h"
#include "report/report.h"

namespace ckpt::lint {

// What became of the inputs and the rules.
struct Tally {
  std::size_t files = 0, failed = 0;
  std::size_t rules = 0;  // that ran on at least one file
};

// `sets` are those that judged the files. "2 errors, 1 warning, 3 suppressed in 1 checkpoint · 73 rules of
// recommended", and as a hint "run ckpt-lint --explain ID for details".
void set_verdict(report::Report& report, const std::vector<RuleSetPtr>& sets, const Tally& tally, int status);

}  // namespace ckpt::lint
