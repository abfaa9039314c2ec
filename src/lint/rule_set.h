// Rule sets: which rules of the catalogue are on, at what level, with what parameters; and a team's own
// rules. The catalogue (rules/catalog/*.yaml) and the built-in sets (rules/*.yaml) are compiled in.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lint/rule.h"

namespace ckpt::lint {

struct BuiltinFile {
  std::string_view name;          // "weights-nonfinite", "recommended"
  std::string_view text;          // YAML
};
std::span<const BuiltinFile> builtin_catalog();   // generated from rules/catalog at build time
std::span<const BuiltinFile> builtin_rule_sets(); // generated from rules/*.yaml

struct RuleSet {
  std::string name;               // "recommended", or the path as given
  std::optional<Profile> profile; // the file's own `profile:`; the command line wins over it
  std::vector<Rule> rules;        // all of the catalogue in id order, then the team's own in file order
};

// All rules of the catalogue, off, with default parameters and levels.
std::vector<Rule> load_catalog();

// `name_or_path`: a file if there is one, else a built-in set with or without ".yaml". Throws Error{kUsage}
// with "FILE:LINE:COLUMN: what is wrong (did you mean ...?)" for everything that is not understood: unknown
// keys, rules, checks, parameters, sections, levels; wrong types; duplicate keys; anchors, aliases, tags,
// several documents; more than 1 MB or 16 levels; NaN or infinite thresholds; cycles of `extends`.
RuleSet load_rule_set(const std::string& name_or_path);

}  // namespace ckpt::lint
