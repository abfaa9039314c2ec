#include "lint/configs.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "files/file_glob.h"

namespace ckpt::lint {
namespace {

constexpr const char* kDefaultSet = "recommended";

// A file that has suppressions or a profile alone would pass everything: without `extends` all is off.
void require_rules(const RuleSet& rules, const std::string& path) {
  if (std::any_of(rules.rules.begin(), rules.rules.end(), [](const Rule& rule) { return rule.on; })) return;
  fail(ErrorCode::kUsage,
       fmt::format("{}: no rule is on for {}: begin with 'extends: recommended', or name rules",
                   one_line(rules.name), one_line(path)));
}

}  // namespace

RuleSetPtr Configs::load(const std::string& name) {
  RuleSetPtr& set = loaded_[name];
  if (set == nullptr) set = std::make_shared<const RuleSet>(load_rule_set(name));
  return set;
}

Configs::Choice Configs::for_folder(const std::string& folder) {
  if (!rules_ && discover_) {
    auto found = found_.find(folder);
    if (found == found_.end()) found = found_.emplace(folder, discover_config(folder)).first;
    if (found->second) {
      const RuleSetPtr set = load(*found->second);
      return {set, set, true};
    }
  }
  const RuleSetPtr set = load(rules_.value_or(kDefaultSet));
  return {set, set, false};
}

Configs::Choice Configs::for_file(const std::string& path) {
  Choice choice = for_folder(std::filesystem::path(absolute_path(path)).parent_path().string());
  const std::vector<bool> with = matching_overrides(*choice.set, path);
  if (std::find(with.begin(), with.end(), true) != with.end()) {
    RuleSetPtr& variant = resolved_[{choice.set.get(), with}];
    if (variant == nullptr) variant = std::make_shared<const RuleSet>(resolve(*choice.set, path));
    choice.rules = variant;
  }
  require_rules(*choice.rules, path);
  return choice;
}

}  // namespace ckpt::lint
