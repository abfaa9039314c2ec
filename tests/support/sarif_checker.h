// What our SARIF logs promise beyond the schema, and validators do not look at.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "report/reporter.h"

namespace ckpt::test {

// One line per broken promise: indexes in range and consistent with the ids next to them, one location per
// result, fingerprints unique per file and rule, texts that equal their message strings with the arguments
// put in, integers that fit into 32 bits, no control characters, complete descriptors, clean URIs, regions of
// bytes inside the file (or the line regions of the GitHub profile), states on every result or on none.
std::vector<std::string> sarif_problems(const nlohmann::json& log,
                                        report::SarifProfile profile = report::SarifProfile::kOasis);

// Control, bidi and other invisible characters, or bytes that are not UTF-8 (newlines only if allowed).
bool has_hidden_characters(const std::string& text, bool allow_newlines = false);

}  // namespace ckpt::test
