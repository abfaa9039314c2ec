// The run of ckpt-lint: many files judged in parallel, each closed when it is judged, one
// report in a fixed order.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/lint_configs.h"
#include "cli/lint_operands.h"
#include "lint/rule_set.h"
#include "report/report.h"

namespace ckpt::cli {

struct LintRun {
  std::vector<LintInput> inputs;
  std::optional<std::string> against;           // a base checkpoint
  std::optional<lint::ProfileSetting> profile;  // --profile; wins over the rule files
  std::optional<report::Level> fail_on;         // nullopt: findings never fail
  std::optional<std::string> baseline;
  bool update_baseline = false;
  std::string today;  // "2026-10-01"
  std::size_t jobs = 1;
};

// Complains on stderr about inputs that could not be read. The report is complete except for its arguments.
// Throws Error for invalid rule files and baselines, before any checkpoint is opened.
report::Report lint_all(const LintRun& run, LintConfigs& configs);
}  // namespace ckpt::cli
