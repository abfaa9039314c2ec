// Where rule files come from: a path, a built-in set, or the .ckpt-lint.yaml nearest to a checkpoint.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lint/rule_set.h"

namespace ckpt::lint {

// The file that ckpt-lint finds by itself, under one of two names.
inline constexpr std::string_view kConfigName = ".ckpt-lint.yaml";
inline constexpr std::string_view kOtherName = ".ckpt-lint.yml";

// A rule file that was found.
struct RuleFile {
  std::string source;                   // for messages: the path as it was named
  std::string identity;                 // the same for the same file, for finding cycles
  std::string_view builtin;             // name of a built-in set; empty: a file on disk
  std::string text;                     // YAML; of a file on disk
  std::span<const YamlRecord> records;  // of a built-in set
};

const BuiltinFile* find_builtin(std::string_view name, std::span<const BuiltinFile> sets);
RuleFile builtin_rule_file(const BuiltinFile& builtin);
YamlNode read_rule_file(const RuleFile& file);  // throws like read_yaml

// `name` below `folder` ("" = the working directory) if there is such a file, else the built-in set of that
// name, with or without ".yaml". Throws Error{kUsage} without a position.
RuleFile find_rule_file(const std::string& name, const std::string& folder,
                        std::span<const BuiltinFile> sets);

}  // namespace ckpt::lint
