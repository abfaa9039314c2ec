#include "lint/configs.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "files/file_glob.h"
#include "lint/rule_loader.h"

namespace ckpt::lint {
namespace {

constexpr const char* kDefaultSet = "recommended";

bool any_on(const RuleSet& rules) {
  return std::any_of(rules.rules.begin(), rules.rules.end(), [](const Rule& rule) { return rule.on; });
}

// A file that has suppressions or a profile alone would pass everything: without `extends` all is off.
[[noreturn]] void fail_without_rules(const RuleSet& rules, const std::string& path, bool narrowed) {
  fail(ErrorCode::kUsage,
       narrowed ? fmt::format("{}: --select and --ignore leave no rule on for {}", one_line(rules.name),
                              one_line(path))
                : fmt::format("{}: no rule is on for {}: begin with 'extends: recommended', or name rules",
                              one_line(rules.name), one_line(path)));
}

bool contains(const std::vector<std::string>& ids, const std::string& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

std::string folder_of(const std::string& path) {
  return std::filesystem::path(absolute_path(path)).parent_path().string();
}

}  // namespace

RuleSetPtr Configs::load(const std::string& name) {
  RuleSetPtr& set = loaded_[name];
  if (set != nullptr) return set;
  RuleSet fresh = load_rule_set(name);
  for (const Rule& rule : fresh.rules) known_.insert(rule.info.id);
  narrow(fresh);
  return set = std::make_shared<const RuleSet>(std::move(fresh));
}

void Configs::narrow(RuleSet& set) {
  if (selection_.empty()) return;
  for (Rule& rule : set.rules) {
    const std::string& id = rule.info.id;
    const bool selected = contains(selection_.only, id);
    const bool dropped = (!selection_.only.empty() && !selected) || contains(selection_.ignore, id);
    rule.on = (rule.on || selected) && !dropped;
    rule.asked = rule.on && (rule.asked || selected);
    if (!selected) continue;
    rule.origin = "--select";
    rule.set_origin("level", rule.origin);
    if (const std::string text = why_incomplete(rule); !text.empty())
      fail(ErrorCode::kUsage, fmt::format("--select: {}", text));
  }
}

void Configs::check_selection() const {
  const std::vector<std::string> ids(known_.begin(), known_.end());
  for (const auto& [option, wanted] :
       {std::pair("--select", &selection_.only), std::pair("--ignore", &selection_.ignore)})
    for (const std::string& id : *wanted)
      if (known_.count(id) == 0)
        fail(ErrorCode::kUsage, fmt::format("{}: unknown rule {}{}; run ckpt-lint --list-rules for a list",
                                            option, quote(id), did_you_mean(id, ids)));
}

bool Configs::excludes(const std::string& path) {
  const RuleSetPtr set = for_folder(folder_of(path)).set;
  const std::string absolute = absolute_path(path);
  return std::any_of(set->exclusions.begin(), set->exclusions.end(),
                     [&](const Exclusion& one) { return one.files.matches(absolute); });
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
  Choice choice = for_folder(folder_of(path));
  const std::vector<bool> with = matching_overrides(*choice.set, path);
  if (std::find(with.begin(), with.end(), true) != with.end()) {
    RuleSetPtr& variant = resolved_[{choice.set.get(), with}];
    if (variant == nullptr) {
      RuleSet fresh = resolve(*choice.set, path);
      narrow(fresh);
      variant = std::make_shared<const RuleSet>(std::move(fresh));
    }
    choice.rules = variant;
  }
  if (!any_on(*choice.rules)) {
    check_selection();  // a misspelt rule is the cause
    fail_without_rules(*choice.rules, path, !selection_.empty());
  }
  return choice;
}

}  // namespace ckpt::lint
