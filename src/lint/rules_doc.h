// What people read about rules, made from the rules themselves: rules/README.md, --explain and --list-rules.
#pragma once

#include <span>
#include <string>

#include "lint/rule.h"
#include "lint/rule_set.h"

namespace ckpt::lint {

// rules/README.md: a table of all rules by group, then a section a rule; its anchor is the id.
std::string rules_readme(std::span<const Rule> rules);

// The same about one rule as plain text, at most 80 columns where words allow. Ends with a newline.
std::string explain_rule(const Rule& rule);

// A line a rule: level or "off", id, title; below it its options with the values that they have in this set.
// Each ends with a newline.
std::string list_rules(const RuleSet& set);

}  // namespace ckpt::lint
