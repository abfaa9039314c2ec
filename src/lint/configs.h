// Which rules each checkpoint is judged by: those that were named, else those of the nearest .ckpt-lint.yaml,
// else the recommended ones; narrowed to what the command line selects. Loaded once each, also the variants
// that `overrides` make.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lint/rule_set.h"

namespace ckpt::lint {

using RuleSetPtr = std::shared_ptr<const RuleSet>;

// Rules by id, on top of every rule set.
struct Selection {
  std::vector<std::string> only;    // these alone are on, also if a set has them off; empty: as the sets say
  std::vector<std::string> ignore;  // off
  bool empty() const { return only.empty() && ignore.empty(); }
};

class Configs {
 public:
  // `rules`: a rule set for all files, as load_rule_set takes it; `discover`: without one look for
  // .ckpt-lint.yaml.
  explicit Configs(std::optional<std::string> rules = std::nullopt, bool discover = true,
                   Selection selection = {})
      : rules_(std::move(rules)), discover_(discover), selection_(std::move(selection)) {}

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

  // True if `exclude:` of the file's rules covers it.
  bool excludes(const std::string& path);

  // Throws Error{kUsage} for a selected id that none of the sets loaded so far has: a misspelt rule would
  // judge nothing.
  void check_selection() const;

 private:
  RuleSetPtr load(const std::string& name);
  void narrow(RuleSet& set);

  std::optional<std::string> rules_;
  bool discover_;
  Selection selection_;
  std::set<std::string> known_;                              // ids of all sets that are loaded
  std::map<std::string, std::optional<std::string>> found_;  // folder -> config
  std::map<std::string, RuleSetPtr> loaded_;                 // by name
  std::map<std::pair<const RuleSet*, std::vector<bool>>, RuleSetPtr> resolved_;
};

}  // namespace ckpt::lint
