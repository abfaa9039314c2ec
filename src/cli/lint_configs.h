// Which rules each checkpoint is judged by: --rules, or the nearest .ckpt-lint.yaml, or the
// recommended ones. Each is loaded once, and so are the variants that `overrides` make.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lint/rule_set.h"

namespace ckpt::cli {

class LintConfigs {
 public:
  // `rules`: the value of --rules; `discover`: look for .ckpt-lint.yaml if there is none.
  LintConfigs(std::optional<std::string> rules, bool discover)
      : rules_(std::move(rules)), discover_(discover) {}

  struct Choice {
    std::size_t set = 0;                   // index into sets()
    const lint::RuleSet* rules = nullptr;  // resolved for the file; lives as long as this object
    bool discovered = false;
  };
  // Throws Error{kUsage} for an invalid rule file, and if no rule is on for the file. Not
  // thread-safe.
  Choice for_file(const std::string& path);
  // Without a file: found from the working directory.
  Choice for_folder(const std::string& folder);

  // In the order in which they were first needed.
  const std::vector<std::unique_ptr<const lint::RuleSet>>& sets() const { return sets_; }

 private:
  std::size_t load(const std::string& name);

  std::optional<std::string> rules_;
  bool discover_;
  std::map<std::string, std::optional<std::string>> found_;  // folder -> config
  std::map<std::string, std::size_t> loaded_;                // name -> index
  std::vector<std::unique_ptr<const lint::RuleSet>> sets_;
  std::map<std::pair<std::size_t, std::vector<bool>>, std::unique_ptr<const lint::RuleSet>> resolved_;
};

}  // namespace ckpt::cli
