// Which rules each checkpoint is judged by: those that were named, else those of the nearest .ckpt-lint.yaml,
// else the recommended ones. Loaded once each, also the variants that `overrides` make.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lint/rule_set.h"

namespace ckpt::lint {

using RuleSetPtr = std::shared_ptr<const RuleSet>;

class Configs {
 public:
  // `rules`: a rule set for all files, as load_rule_set takes it; `discover`: without one look for
  // .ckpt-lint.yaml.
  explicit Configs(std::optional<std::string> rules = std::nullopt, bool discover = true)
      : rules_(std::move(rules)), discover_(discover) {}

  struct Choice {
    RuleSetPtr set;    // as it was loaded; the same object for all files that it is for
    RuleSetPtr rules;  // resolved for the file
    bool discovered = false;
  };
  // Throws Error{kUsage} for a rule file that is not understood, and where no rule is on for the file. Not
  // for several threads.
  Choice for_file(const std::string& path);
  // Without a file: what would be found from the working directory.
  Choice for_folder(const std::string& folder);

 private:
  RuleSetPtr load(const std::string& name);

  std::optional<std::string> rules_;
  bool discover_;
  std::map<std::string, std::optional<std::string>> found_;  // folder -> config
  std::map<std::string, RuleSetPtr> loaded_;                 // by name
  std::map<std::pair<const RuleSet*, std::vector<bool>>, RuleSetPtr> resolved_;
};

}  // namespace ckpt::lint
