#include "lint/rule_set.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "lint/rule_loader.h"
#include "lint/rule_params.h"

namespace ckpt::lint {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChain = 16;   // files that extend one another in a row
constexpr std::size_t kFiles = 100;  // files of one rule set: two files may each extend the same others

// A rule file that was found, before it is read.
struct File {
  std::string source;          // for messages
  std::string identity;        // the same for the same file, for finding cycles
  std::string_view builtin;    // name of a built-in set; empty: a file on disk
  std::string text;
};

std::string shown(std::string_view name) { return fmt::format("'{}'", one_line(name)); }

std::string read_file(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) fail(ErrorCode::kUsage, fmt::format("{} is a directory: expected a rule file", shown(path.string())));
  std::ifstream stream(path, std::ios::binary);
  std::string text(kYamlBytes + 1, '\0');  // one byte more than allowed: read_yaml refuses it
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream.is_open() || stream.bad())
    fail(ErrorCode::kUsage, fmt::format("{} cannot be read: check that it is a readable file", shown(path.string())));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

const BuiltinFile* find_builtin(std::string_view name, std::span<const BuiltinFile> sets) {
  if (name.ends_with(".yaml")) name.remove_suffix(5);
  const auto found = std::find_if(sets.begin(), sets.end(), [&](const BuiltinFile& set) { return set.name == name; });
  return found == sets.end() ? nullptr : &*found;
}

// A file if there is one, else a built-in set. Throws an Error without a position.
File find_file(const std::string& name, const fs::path& folder, std::span<const BuiltinFile> sets) {
  const fs::path path = folder.empty() ? fs::path(name) : folder / name;
  const BuiltinFile* builtin = find_builtin(name, sets);
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  const bool there = !name.empty() && status.type() != fs::file_type::not_found;
  // A folder "strict" beside the file does not hide the built-in set of that name.
  if (there && !(fs::is_directory(status) && builtin != nullptr)) {
    const fs::path canonical = fs::canonical(path, error);
    return {path.string(), error ? path.string() : canonical.string(), "", read_file(path)};
  }
  if (builtin != nullptr)
    return {fmt::format("rules/{}.yaml", builtin->name), fmt::format("built-in {}", builtin->name), builtin->name, std::string(builtin->text)};
  std::vector<std::string> names;
  for (const BuiltinFile& set : sets) names.emplace_back(set.name);
  const std::string hint = did_you_mean(name.ends_with(".yaml") ? name.substr(0, name.size() - 5) : name, names);
  fail(ErrorCode::kUsage, fmt::format("no rule set {}{}; built-in sets: {}; or give a path", shown(name), hint, fmt::join(names, ", ")));
}

class Loader {
 public:
  explicit Loader(const Library& library) : library_(library) { set_.rules = load_catalog(library); }

  RuleSet load(const std::string& name_or_path) {
    const File file = find_file(name_or_path, {}, library_.sets);
    set_.name = file.builtin.empty() ? name_or_path : std::string(file.builtin);
    apply(file);
    return std::move(set_);
  }

 private:
  // Recursion is bounded by kChain.
  void apply(const File& file) {
    static constexpr std::array<std::string_view, 4> kKeys = {"extends", "set", "profile", "rules"};
    const YamlNode root = read_yaml(file.text, file.source);
    for (const YamlNode& key : root.keys)
      if (std::find(kKeys.begin(), kKeys.end(), key.text) == kKeys.end())
        yaml_fail(file.source, key, fmt::format("unknown key {}{}; a rule file has: extends, profile, rules, set", describe(key),
                                                did_you_mean(key.text, std::vector<std::string>(kKeys.begin(), kKeys.end()))));
    chain_.push_back(file.identity);
    if (const YamlNode* node = root.find("extends")) extend(file, *node);
    if (const YamlNode* node = root.find("set")) turn_on(file, *node);
    if (const YamlNode* node = root.find("profile")) set_profile(file, *node);
    if (const YamlNode* node = root.find("rules")) set_rules(file, *node);
    chain_.pop_back();
  }

  void extend(const File& file, const YamlNode& node) {
    const std::vector<std::string> names = to_texts(file.source, node, "'extends'");
    for (std::size_t i = 0; i < names.size(); ++i) {
      const YamlNode& at = node.is_sequence() ? node.items[i] : node;
      apply(extended(file, at, names[i]));
    }
  }

  File extended(const File& file, const YamlNode& at, const std::string& name) {
    if (chain_.size() >= kChain || ++files_ > kFiles)
      yaml_fail(file.source, at, fmt::format("more than {} files in a row, or {} in all, extend one another", kChain, kFiles));
    File next;
    try {
      // A built-in set knows the built-in sets and nothing on disk.
      if (file.builtin.empty()) {
        next = find_file(name, fs::path(file.source).parent_path(), library_.sets);
      } else if (const BuiltinFile* builtin = find_builtin(name, library_.sets)) {
        next = {fmt::format("rules/{}.yaml", builtin->name), fmt::format("built-in {}", builtin->name), builtin->name, std::string(builtin->text)};
      } else {
        fail(ErrorCode::kUsage, fmt::format("no built-in rule set {}", shown(name)));
      }
    } catch (const Error& e) {
      yaml_fail(file.source, at, e.text());
    }
    if (std::find(chain_.begin(), chain_.end(), next.identity) != chain_.end())
      yaml_fail(file.source, at, fmt::format("{} extends itself: remove this line from the circle", shown(name)));
    return next;
  }

  // `set: strict`: every rule of the catalogue that belongs to it, at its default level.
  void turn_on(const File& file, const YamlNode& node) {
    const std::string name = to_text(file.source, node, "'set'");
    std::size_t found = 0;
    std::vector<std::string> known;
    for (Rule& rule : set_.rules) {
      known.insert(known.end(), rule.sets.begin(), rule.sets.end());
      if (std::find(rule.sets.begin(), rule.sets.end(), name) == rule.sets.end()) continue;
      ++found;
      rule.on = true;
      rule.level = rule.info.level;
      rule.origin = file.builtin.empty() ? yaml_position(file.source, node) : std::string(file.builtin);
      check_complete(rule, file.source, node);
    }
    if (found == 0)
      yaml_fail(file.source, node, fmt::format("no rule of the catalogue belongs to a set {}{}", describe(node), did_you_mean(name, known)));
  }

  void set_profile(const File& file, const YamlNode& node) {
    const std::string name = to_text(file.source, node, "'profile'");
    static const std::vector<std::string> kNames = {"resume", "inference", "any"};
    if (name == "resume") set_.profile = Profile::kResume;
    else if (name == "inference") set_.profile = Profile::kInference;
    else if (name == "any") set_.profile = Profile::kAny;
    else yaml_fail(file.source, node, fmt::format("the profile must be resume, inference or any, but here is {}{}", describe(node), did_you_mean(name, kNames)));
  }

  void set_rules(const File& file, const YamlNode& node) {
    if (!node.is_map())
      yaml_fail(file.source, node, fmt::format("'rules' must be a map of rule ids and levels, but here is {}", describe(node)));
    const EntryPlace place{file.source, file.builtin};
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      const YamlNode& key = node.keys[i];
      const YamlNode& value = node.items[i];
      const auto rule = std::find_if(set_.rules.begin(), set_.rules.end(), [&](const Rule& r) { return r.info.id == key.text; });
      if (rule != set_.rules.end()) configure_rule(*rule, place, key, value);
      else if (value.is_map() && value.find("check") != nullptr) set_.rules.push_back(read_own_rule(place, key, value, library_.checks));
      else unknown_rule(file, key, value);
    }
  }

  [[noreturn]] void unknown_rule(const File& file, const YamlNode& key, const YamlNode& value) const {
    std::vector<std::string> ids;
    for (const Rule& rule : set_.rules) ids.push_back(rule.info.id);
    const std::string hint = did_you_mean(key.text, ids);
    const std::string_view more = hint.empty() && value.is_map() ? "; a rule of your own names its check" : "";
    yaml_fail(file.source, key, fmt::format("unknown rule {}{}{}", describe(key), hint, more));
  }

  const Library& library_;
  RuleSet set_;
  std::vector<std::string> chain_;
  std::size_t files_ = 0;
};

}  // namespace

Library builtin_library() { return {checks(), builtin_catalog(), builtin_rule_sets()}; }

std::vector<Rule> load_catalog(const Library& library) {
  std::vector<Rule> rules;
  for (const BuiltinFile& file : library.catalog) rules.push_back(read_catalog_rule(file, library.checks));
  std::sort(rules.begin(), rules.end(), [](const Rule& a, const Rule& b) { return a.info.id < b.info.id; });
  return rules;
}

RuleSet load_rule_set(const std::string& name_or_path, const Library& library) { return Loader(library).load(name_or_path); }

std::vector<Rule> load_catalog() { return load_catalog(builtin_library()); }

RuleSet load_rule_set(const std::string& name_or_path) { return load_rule_set(name_or_path, builtin_library()); }

}  // namespace ckpt::lint
