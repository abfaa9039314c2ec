// The JSON Schema of rule files, for editors: made from the checks and the catalogue, as the loader reads them.
#pragma once

#include <span>
#include <string>

#include "lint/rule.h"

namespace ckpt::lint {

// Draft 2020-12, ends with a newline. It takes whatever the loader takes; what single checks demand beyond the types of
// their parameters (`expect`, pairs of parameters), only the loader knows.
std::string rules_schema(std::span<const Rule> rules);

}  // namespace ckpt::lint
