// The documentation of differences and incompatibilities: --explain, --list-rules, and their
// part of rules/README.md, which SARIF links to.
#pragma once

#include <string>
#include <vector>

namespace ckpt::diff {

// A Markdown chapter: a table, then a section per rule, with the id as its anchor.
std::string rules_readme();

// Everything that the word names, as plain text: a rule ("shape-changed"), a kind ("shape": the rules with
// that word in their id), a profile of --compat, a part of --only. "" for a word that names nothing.
std::string explain(const std::string& word);
std::vector<std::string> explained_words();

// All rules with a line each.
std::string list_rules();

}  // namespace ckpt::diff
