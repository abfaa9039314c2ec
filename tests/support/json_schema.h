// A JSON Schema (draft-04) validator, as much of it as the SARIF schema uses: "format" and "pattern" are
// skipped, any other keyword that it does not know is an error, so that nothing is skipped unseen.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace ckpt::test {

// One line a violation, "/runs/0/tool: ..."; empty if `document` is valid. Throws std::logic_error for a
// schema with keywords that are not known here.
std::vector<std::string> schema_problems(const nlohmann::json& schema, const nlohmann::json& document);

}  // namespace ckpt::test
