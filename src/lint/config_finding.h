// A finding about a rule file instead of a checkpoint.
#pragma once

#include <string>
#include <vector>

#include "lint/check.h"
#include "lint/rule.h"
#include "report/finding.h"

namespace ckpt::lint {

struct ConfigFinding {
  std::string source;       // the rule file
  report::Finding finding;  // Location::input is not set
};

// As the engine makes findings of the hits of checks. `path` is the place in the rule file.
ConfigFinding config_finding(const Rule& rule, const std::string& source, std::string path, std::string kind,
                             std::vector<Field> fields);

}  // namespace ckpt::lint
