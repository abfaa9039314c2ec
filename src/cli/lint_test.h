// ckpt-lint --test RULES: do the rules of a file fire and stay silent as expected?
#pragma once

#include <ostream>
#include <string>

#include "lint/run.h"

namespace ckpt::cli {

// Judges the files of the `tests:` of the rule file as a run with these settings does (each against its own
// base) and writes a line each: "pass" or "FAIL" and why. Returns an exit status: kFound if a test failed,
// kTrouble if one could not run. Throws Error{kUsage} for a file without tests.
int test_rules(const std::string& rules, const lint::Settings& settings, std::ostream& out);

}  // namespace ckpt::cli
