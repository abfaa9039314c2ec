#include "cli/lint_configs.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "lint/file_glob.h"

namespace ckpt::cli {
namespace {

constexpr const char* kDefaultSet = "recommended";

// A file with only suppressions or a profile would pass everything: without `extends`, all rules are off.
void require_rules(const lint::RuleSet& rules, const std::string& path) {
  if (std::any_of(rules.rules.begin(), rules.rules.end(), [](const lint::Rule& rule) { return rule.on; }))
    return;
  fail(ErrorCode::kUsage,
       fmt::format("{}: no rule is on for {}; start with 'extends: recommended', or turn rules on",
                   one_line(rules.name), one_line(path)));
}

}  // namespace

std::size_t LintConfigs::load(const std::string& name) {
  const auto known = loaded_.find(name);
  if (known != loaded_.end()) return known->second;
  sets_.push_back(std::make_unique<const lint::RuleSet>(lint::load_rule_set(name)));
  return loaded_[name] = sets_.size() - 1;
}

LintConfigs::Choice LintConfigs::for_folder(const std::string& folder) {
  if (!rules_ && discover_) {
    auto found = found_.find(folder);
    if (found == found_.end()) found = found_.emplace(folder, lint::discover_config(folder)).first;
    if (found->second) {
      const std::size_t set = load(*found->second);
      return {set, sets_[set].get(), true};
    }
  }
  const std::size_t set = load(rules_.value_or(kDefaultSet));
  return {set, sets_[set].get(), false};
}

LintConfigs::Choice LintConfigs::for_file(const std::string& path) {
  Choice choice = for_folder(std::filesystem::path(lint::absolute_path(path)).parent_path().string());
  const std::vector<bool> with = lint::matching_overrides(*choice.rules, path);
  if (std::find(with.begin(), with.end(), true) != with.end()) {
    auto& variant = resolved_[{choice.set, with}];
    if (variant == nullptr)
      variant = std::make_unique<const lint::RuleSet>(lint::resolve(*choice.rules, path));
    choice.rules = variant.get();
  }
  require_rules(*choice.rules, path);
  return choice;
}

}  // namespace ckpt::cli
