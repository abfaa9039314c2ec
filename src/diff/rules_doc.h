// What people read about the kinds of difference and of incompatibility: --explain, --list-rules, and their
// part of rules/README.md, where SARIF's links lead.
#pragma once

#include <string>

#include "report/rule_info.h"

namespace ckpt::diff {

// A Markdown chapter: a table, then a section a rule; its anchor is the id.
std::string rules_readme();

// About one rule, and a line a rule, as plain text.
std::string explain_rule(const report::RuleInfo& rule);
std::string list_rules();

}  // namespace ckpt::diff
