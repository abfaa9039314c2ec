// The documentation of differences and incompatibilities: --explain, --list-rules, and their
// part of rules/README.md, which SARIF links to.
#pragma once

#include <string>

#include "report/rule_info.h"

namespace ckpt::diff {

// A Markdown chapter: a table, then a section per rule, with the id as its anchor.
std::string rules_readme();

// One rule, and all rules with a line each, as plain text.
std::string explain_rule(const report::RuleInfo& rule);
std::string list_rules();

}  // namespace ckpt::diff
