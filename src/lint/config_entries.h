// The entries of a rule file that are no rules: `exclude`, `overrides`, `suppressions`, `tests`. What refers
// to rules by id is checked once all rules are known (check_ids).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "files/yaml_reader.h"
#include "lint/layers.h"
#include "lint/rule_set.h"

namespace ckpt::lint {

// A pattern, or a list of them; `what` names it in messages. Throws Error{kUsage} for an empty list.
std::vector<FileGlob> read_file_globs(const std::string& source, const YamlNode& node, std::string_view what);

// `source` is the file; globs and paths are relative to its folder.
std::vector<Layer> read_overrides(const std::string& source, const YamlNode& node);
std::vector<Suppression> read_suppressions(const std::string& source, const YamlNode& node);
std::vector<RuleTest> read_tests(const std::string& source, const YamlNode& node);

// Throws Error{kUsage} with the position of an id that none of `rules` has.
void check_suppressed_ids(const std::string& source, const YamlNode& node, const std::vector<Rule>& rules);
void check_tested_ids(const std::string& source, const YamlNode& node, const std::vector<Rule>& rules);

}  // namespace ckpt::lint
