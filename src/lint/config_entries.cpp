#include "lint/config_entries.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/date.h"
#include "base/error.h"
#include "base/suggest.h"
#include "lint/rule_params.h"

namespace ckpt::lint {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostEntries = 10'000;
constexpr std::array<std::string_view, 3> kOverrideKeys = {"files", "profile", "rules"};
constexpr std::array<std::string_view, 5> kSuppressionKeys = {"rule", "files", "paths", "reason", "expires"};
constexpr std::array<std::string_view, 4> kTestKeys = {"file", "against", "fires", "silent"};

std::string folder_of(const std::string& source) { return fs::path(source).parent_path().string(); }

// A list of maps which have no other keys than these.
void check_entries(const std::string& source, const YamlNode& node, std::string_view what,
                   std::span<const std::string_view> keys) {
  if (!node.is_sequence())
    yaml_fail(source, node, fmt::format("'{}' must be a list, not {}", what, describe(node)));
  if (node.items.size() > kMostEntries)
    yaml_fail(source, node, fmt::format("'{}' has more than {} entries", what, kMostEntries));
  for (const YamlNode& entry : node.items) {
    if (!entry.is_map())
      yaml_fail(source, entry,
                fmt::format("an entry of '{}' must be a map with the keys {}, not {}", what,
                            fmt::join(keys, ", "), describe(entry)));
    for (const YamlNode& key : entry.keys)
      if (std::find(keys.begin(), keys.end(), key.text) == keys.end())
        yaml_fail(source, key,
                  fmt::format("unknown key {} in '{}'{}; an entry has: {}", describe(key), what,
                              did_you_mean(key.text, std::vector<std::string>(keys.begin(), keys.end())),
                              fmt::join(keys, ", ")));
  }
}

const YamlNode& required(const std::string& source, const YamlNode& entry, std::string_view key,
                         std::string_view what) {
  const YamlNode* node = entry.find(key);
  if (node == nullptr)
    yaml_fail(source, entry, fmt::format("this entry of '{}' needs the key '{}'", what, key));
  return *node;
}

}  // namespace

std::vector<FileGlob> read_file_globs(const std::string& source, const YamlNode& node,
                                      std::string_view what) {
  const std::vector<std::string> patterns = to_texts(source, node, what);
  if (patterns.empty())
    yaml_fail(source, node, fmt::format("{} is an empty list, which matches no file", what));
  std::vector<FileGlob> globs;
  for (const std::string& pattern : patterns) {
    try {
      globs.emplace_back(pattern, folder_of(source));
    } catch (const Error& e) {
      yaml_fail(source, node.is_sequence() ? node.items[globs.size()] : node, e.text());
    }
  }
  return globs;
}

namespace {

std::string not_empty(const std::string& source, const YamlNode& node, std::string_view what) {
  std::string text = to_text(source, node, what);
  if (text.find_first_not_of(" \t\n") == std::string::npos)
    yaml_fail(source, node, fmt::format("{} must not be empty", what));
  return text;
}

Suppression read_suppression(const std::string& source, const YamlNode& entry) {
  Suppression result;
  result.rule = not_empty(source, required(source, entry, "rule", "suppressions"), "'rule' of a suppression");
  const YamlNode* reason = entry.find("reason");
  if (reason == nullptr)
    yaml_fail(source, entry, "a suppression needs a reason: say why these findings are acceptable");
  result.reason = not_empty(source, *reason, "'reason' of a suppression");
  if (const YamlNode* files = entry.find("files"))
    result.files = read_file_globs(source, *files, "'files' of a suppression");
  if (const YamlNode* paths = entry.find("paths")) {
    result.paths = to_globs(source, *paths, "'paths' of a suppression");
    if (result.paths.empty())
      yaml_fail(source, *paths, "'paths' of a suppression is an empty list, which matches nothing");
  }
  if (const YamlNode* expires = entry.find("expires")) {
    result.expires = to_text(source, *expires, "'expires' of a suppression");
    if (!is_date(result.expires))
      yaml_fail(source, *expires,
                fmt::format("'expires' must be a date such as 2026-10-01, not {}", describe(*expires)));
  }
  return result;
}

std::string beside(const std::string& source, const std::string& path) {
  return (fs::path(folder_of(source)) / path).string();
}

std::vector<std::string> ids(const std::string& source, const YamlNode& entry, std::string_view key) {
  const YamlNode* node = entry.find(key);
  return node == nullptr ? std::vector<std::string>{}
                         : to_texts(source, *node, fmt::format("'{}' of a test", key));
}

RuleTest read_test(const std::string& source, const YamlNode& entry) {
  RuleTest test;
  test.position = yaml_position(source, entry);
  test.file = beside(source, not_empty(source, required(source, entry, "file", "tests"), "'file' of a test"));
  if (const YamlNode* against = entry.find("against"))
    test.against = beside(source, not_empty(source, *against, "'against' of a test"));
  test.fires = ids(source, entry, "fires");
  test.silent = ids(source, entry, "silent");
  if (test.fires.empty() && test.silent.empty())
    yaml_fail(source, entry, "this test expects nothing: name rules under 'fires' or 'silent'");
  for (const std::string& id : test.fires)
    if (std::find(test.silent.begin(), test.silent.end(), id) != test.silent.end())
      yaml_fail(source, entry, fmt::format("this test expects rule '{}' to fire and to be silent", id));
  return test;
}

void check_id(const std::string& source, const YamlNode& at, const std::string& id,
              const std::vector<Rule>& rules) {
  std::vector<std::string> known;
  for (const Rule& rule : rules) {
    if (rule.info.id == id) return;
    known.push_back(rule.info.id);
  }
  yaml_fail(source, at, fmt::format("unknown rule {}{}", describe(at), did_you_mean(id, known)));
}

}  // namespace

std::vector<Layer> read_overrides(const std::string& source, const YamlNode& node) {
  check_entries(source, node, "overrides", kOverrideKeys);
  std::vector<Layer> layers;
  for (const YamlNode& entry : node.items) {
    Layer layer;
    layer.source = source;
    layer.position = yaml_position(source, entry);
    layer.index = layers.size();
    layer.files =
        read_file_globs(source, required(source, entry, "files", "overrides"), "'files' of an override");
    if (const YamlNode* profile = entry.find("profile")) layer.profile = *profile;
    if (const YamlNode* rules = entry.find("rules")) layer.rules = *rules;
    if (!layer.profile && !layer.rules)
      yaml_fail(source, entry, "this override changes nothing: add 'rules' or 'profile'");
    layers.push_back(std::move(layer));
  }
  return layers;
}

std::vector<Suppression> read_suppressions(const std::string& source, const YamlNode& node) {
  check_entries(source, node, "suppressions", kSuppressionKeys);
  std::vector<Suppression> result;
  for (const YamlNode& entry : node.items) {
    Suppression suppression = read_suppression(source, entry);
    suppression.source = source;
    suppression.position = yaml_position(source, entry);
    suppression.index = result.size();
    result.push_back(std::move(suppression));
  }
  return result;
}

std::vector<RuleTest> read_tests(const std::string& source, const YamlNode& node) {
  check_entries(source, node, "tests", kTestKeys);
  std::vector<RuleTest> result;
  for (const YamlNode& entry : node.items) result.push_back(read_test(source, entry));
  return result;
}

void check_suppressed_ids(const std::string& source, const YamlNode& node, const std::vector<Rule>& rules) {
  for (const YamlNode& entry : node.items)
    if (const YamlNode* id = entry.find("rule")) check_id(source, *id, id->text, rules);
}

void check_tested_ids(const std::string& source, const YamlNode& node, const std::vector<Rule>& rules) {
  for (const YamlNode& entry : node.items)
    for (const std::string_view key : {"fires", "silent"}) {
      const YamlNode* list = entry.find(key);
      if (list == nullptr) continue;
      if (list->is_scalar()) check_id(source, *list, list->text, rules);
      for (const YamlNode& id : list->items) check_id(source, id, id.text, rules);
    }
}

}  // namespace ckpt::lint
