#include "lint/layers.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/suggest.h"
#include "lint/precedence.h"
#include "lint/rule_params.h"

namespace ckpt::lint {
namespace {

class Builder {
 public:
  explicit Builder(const Layers& layers) : checks_(layers.checks), catalog_(layers.catalog) {
    result_.rules = layers.catalog;
  }

  void apply(const Layer& layer) {
    if (layer.set) turn_on(layer, *layer.set);
    if (layer.profile) set_profile(layer, *layer.profile);
    if (layer.rules) set_rules(layer, *layer.rules);
  }
  Applied take() { return std::move(result_); }

 private:
  static std::string origin(const Layer& layer, const YamlNode& node) {
    return layer.builtin.empty() ? yaml_position(layer.source, node) : layer.builtin;
  }

  // `set: strict`: every rule of the catalogue that belongs to it, at its default level.
  void turn_on(const Layer& layer, const YamlNode& node) {
    const std::string name = to_text(layer.source, node, "'set'");
    std::size_t found = 0;
    for (Rule& rule : result_.rules) {
      if (std::find(rule.sets.begin(), rule.sets.end(), name) == rule.sets.end()) continue;
      ++found;
      rule.on = true;
      rule.level = rule.info.level;
      rule.origin = origin(layer, node);
      rule.set_origin("level", rule.origin);
      check_complete(rule, layer.source, node);
    }
    if (found > 0) return;
    std::vector<std::string> known;
    for (const Rule& rule : result_.rules) known.insert(known.end(), rule.sets.begin(), rule.sets.end());
    yaml_fail(
        layer.source, node,
        fmt::format("no built-in rule belongs to a set {}{}", describe(node), did_you_mean(name, known)));
  }

  void set_profile(const Layer& layer, const YamlNode& node) {
    const std::string name = to_text(layer.source, node, "'profile'");
    const auto setting = parse_profile(name);
    if (!setting)
      yaml_fail(layer.source, node,
                fmt::format("the profile must be one of {}, not {}{}", fmt::join(profile_names(), ", "),
                            describe(node), did_you_mean(name, profile_names())));
    result_.profile = setting;
    result_.profile_origin = origin(layer, node);
  }

  void set_rules(const Layer& layer, const YamlNode& node) {
    if (!node.is_map())
      yaml_fail(layer.source, node,
                fmt::format("'rules' must be a map of rule ids and levels, not {}", describe(node)));
    const EntryPlace place{layer.source, layer.builtin};
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      const YamlNode& key = node.keys[i];
      const YamlNode& value = node.items[i];
      const auto rule = std::find_if(result_.rules.begin(), result_.rules.end(),
                                     [&](const Rule& r) { return r.info.id == key.text; });
      if (rule != result_.rules.end())
        configure_rule(*rule, place, key, value);
      else if (value.is_map() && value.find("check") != nullptr)
        result_.rules.push_back(read_own_rule(place, key, value, checks_, catalog_));
      else
        unknown_rule(layer, key, value);
    }
  }

  [[noreturn]] void unknown_rule(const Layer& layer, const YamlNode& key, const YamlNode& value) const {
    std::vector<std::string> ids;
    for (const Rule& rule : result_.rules) ids.push_back(rule.info.id);
    const std::string hint = did_you_mean(key.text, ids);
    const std::string_view more = hint.empty() && value.is_map() ? "; your own rules need a 'check'" : "";
    yaml_fail(layer.source, key, fmt::format("unknown rule {}{}{}", describe(key), hint, more));
  }

  std::span<const Check* const> checks_;
  std::span<const Rule> catalog_;
  Applied result_;
};

}  // namespace

std::size_t count_overrides(const Layers& layers) {
  return static_cast<std::size_t>(std::count_if(layers.steps.begin(), layers.steps.end(),
                                                [](const Layer& l) { return l.is_override(); }));
}

Applied apply_layers(const Layers& layers, const std::vector<bool>& with) {
  Builder builder(layers);
  std::size_t index = 0;
  for (const Layer& layer : layers.steps) {
    if (!layer.is_override() || with.at(index)) builder.apply(layer);
    if (layer.is_override()) ++index;
  }
  Applied applied = builder.take();
  check_precedence(applied.rules);
  return applied;
}

std::vector<bool> matching_overrides(const RuleSet& set, const std::string& checkpoint) {
  std::vector<bool> result;
  if (set.layers == nullptr) return result;
  const std::string path = absolute_path(checkpoint);
  for (const Layer& layer : set.layers->steps)
    if (layer.is_override())
      result.push_back(std::any_of(layer.files.begin(), layer.files.end(),
                                   [&](const FileGlob& glob) { return glob.matches(path); }));
  return result;
}

RuleSet resolve(const RuleSet& set, const std::string& checkpoint) {
  RuleSet result = set;
  const std::vector<bool> with = matching_overrides(set, checkpoint);
  if (std::find(with.begin(), with.end(), true) == with.end()) return result;
  Applied applied = apply_layers(*set.layers, with);
  result.rules = std::move(applied.rules);
  result.profile = applied.profile;
  result.profile_origin = std::move(applied.profile_origin);
  return result;
}

}  // namespace ckpt::lint
