// ckpt-lint --test RULES: do the rules of a file fire and stay silent as expected?
#pragma once

#include <ostream>
#include <string>

namespace ckpt::cli {

// Judges the files under `tests:` in the rule file and writes a line for each: "pass" or "FAIL" and why.
// Returns an exit status: kFound if a test failed, kTrouble if a file is missing. Throws Error{kUsage} for a
// file without tests.
int test_rules(const std::string& rules, const std::string& today, std::ostream& out);

}  // namespace ckpt::cli
