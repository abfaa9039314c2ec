// What rule files said, in the order in which it is applied: first what a file extends, then its own `set`,
// `profile` and `rules`, then its `overrides`. A rule set is these steps applied to the catalogue, in general
// (without overrides) or for one file (with those that match it).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/yaml_reader.h"
#include "lint/rule_loader.h"
#include "lint/rule_set.h"

namespace ckpt::lint {

struct Layer {
  std::string source;           // the file, for messages
  std::string builtin;          // name of a built-in set; empty: a file on disk
  std::vector<FileGlob> files;  // an override's; empty: applies to every file
  std::optional<YamlNode> set, profile, rules;
  std::string position;   // an override's
  std::size_t index = 0;  // likewise, in its file

  bool is_override() const { return !files.empty(); }
};

struct Layers {
  std::vector<Rule> catalog;  // everything off
  std::span<const Check* const> checks;
  std::vector<Layer> steps;
};

// Rules, profile and origins; `with[i]` says whether the i-th override applies.
struct Applied {
  std::vector<Rule> rules;
  std::optional<ProfileSetting> profile;
  std::string profile_origin;
};
Applied apply_layers(const Layers& layers, const std::vector<bool>& with);
std::size_t count_overrides(const Layers& layers);

}  // namespace ckpt::lint
