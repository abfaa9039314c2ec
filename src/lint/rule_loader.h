// One rule from YAML: a file of the catalogue, or an entry under `rules:` of a rule set. rule_set.cpp puts
// sets together from these.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/yaml_reader.h"
#include "lint/rule.h"
#include "lint/rule_set.h"

namespace ckpt::lint {

// Everything that rule files may refer to. The product's own is builtin_library(); tests make theirs.
struct Library {
  std::span<const Check* const> checks;
  std::span<const BuiltinFile> catalog;
  std::span<const BuiltinFile> sets;
};
Library builtin_library();

std::vector<Rule> load_catalog(const Library& library);
RuleSet load_rule_set(const std::string& name_or_path, const Library& library);

// Where an entry stands: `source` for messages; `origin` is what Rule::origin gets ("" = the position).
struct EntryPlace {
  const std::string& source;
  std::string_view origin;
};

bool is_kebab_case(std::string_view text);

// rules/catalog/<name>.yaml: off, at its default level, with default parameters. The documentation is read
// when somebody asks for it, from the file's records, which must live as long.
Rule read_catalog_rule(const BuiltinFile& file, std::span<const Check* const> checks);

// `id: error`, or `id: {level: ..., rtol: ...}` for a rule that is known.
void configure_rule(Rule& rule, const EntryPlace& place, const YamlNode& key, const YamlNode& value);

// `id: {check: ..., ...}`: a rule of a team's own. Requires: value is a map with the key check. Without words
// it takes those of a rule of the catalogue on the same check.
Rule read_own_rule(const EntryPlace& place, const YamlNode& key, const YamlNode& value,
                   std::span<const Check* const> checks, std::span<const Rule> catalog);

// What must hold once a rule is on: all parameters are there, the check accepts them, something is selected.
// "" if it does; check_complete throws Error{kUsage} with the position of `at` if not.
std::string why_incomplete(const Rule& rule);
void check_complete(const Rule& rule, const std::string& source, const YamlNode& at);

}  // namespace ckpt::lint
