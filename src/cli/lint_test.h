// ckpt-lint --test RULES: does a rule file say about known checkpoints what it should?
#pragma once

#include <ostream>
#include <string>

namespace ckpt::cli {

// Judges the files of the `tests:` of the rule file and writes a line each: "pass" or "FAIL" and why. Returns
// an exit status: kFound if a test failed, kTrouble if a file is not there. Throws Error{kUsage} for a file
// without tests.
int test_rules(const std::string& rules, const std::string& today, std::ostream& out);

}  // namespace ckpt::cli
