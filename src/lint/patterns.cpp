#include "lint/patterns.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/layers.h"
#include "training/weights.h"
#include "value/path.h"

namespace ckpt::lint {
namespace {

constexpr std::size_t kMostFiles = 20'000;                    // on disk, for one pattern
constexpr std::string_view kSaysItself = "nothing-selected";  // the kind of checks that do

bool selects_any(const Opened& input, const Glob& glob, bool by_path) {
  for (const TensorEntry& entry : input.file->entries) {
    if (by_path) {
      if (glob.matches(entry.path)) return true;
    } else if (const auto name = training::weight_name(input.items, entry.path);
               name && glob.matches(*name)) {
      return true;
    }
  }
  return false;
}

// A pattern over files, and where it stands.
struct FilePattern {
  const FileGlob* glob;
  std::string source, path;
  std::string_view kind;
};

std::vector<FilePattern> file_patterns(const RuleSet& rules) {
  std::vector<FilePattern> all;
  const auto add = [&](const std::vector<FileGlob>& globs, const std::string& source, const std::string& path,
                       std::string_view kind) {
    for (std::size_t i = 0; i < globs.size(); ++i)
      all.push_back({&globs[i], source, fmt::format("{}.files[{}]", path, i), kind});
  };
  for (const Exclusion& one : rules.exclusions)
    all.push_back({&one.files, one.source, fmt::format("exclude[{}]", one.index), "exclude"});
  if (rules.layers != nullptr)
    for (const Layer& layer : rules.layers->steps)
      add(layer.files, layer.source, fmt::format("overrides[{}]", layer.index), "override");
  for (const Suppression& one : rules.suppressions)
    add(one.files, one.source, fmt::format("suppressions[{}]", one.index), "suppression");
  return all;
}

}  // namespace

void SelectUse::count(const RuleSet& rules, const Opened& input, const Scope& scope) {
  for (const Rule& rule : rules.rules) {
    const Running answer = running(rule, scope);
    const bool ran = answer == Running::kYes || answer == Running::kPartly;
    if (rule.select_source.empty() || !ran || input.file == nullptr) continue;
    if (find_kind(*rule.check, kSaysItself) != nullptr) continue;
    for (const bool by_path : {false, true}) {
      const std::vector<Glob>& globs = by_path ? rule.select.paths : rule.select.tensors;
      for (std::size_t i = 0; i < globs.size(); ++i) {
        std::string path = "rules";
        value::append_key(path, rule.info.id);
        path += fmt::format(".select.{}[{}]", by_path ? "paths" : "tensors", i);
        Count& count = places_[{rule.select_source, std::move(path), globs[i].pattern()}];
        ++count.files;
        if (selects_any(input, globs[i], by_path)) ++count.matched;
      }
    }
  }
}

void SelectUse::add(const SelectUse& other) {
  for (const auto& [place, count] : other.places_) {
    places_[place].files += count.files;
    places_[place].matched += count.matched;
  }
}

std::vector<ConfigFinding> judge_patterns(const RuleSet& rules, const SelectUse& selects,
                                          const std::vector<std::string>& paths) {
  std::vector<ConfigFinding> result;
  const auto teller = std::find_if(rules.rules.begin(), rules.rules.end(),
                                   [](const Rule& rule) { return rule.on && rule.check->name == "pattern"; });
  if (teller == rules.rules.end()) return result;
  const auto tell = [&](const std::string& source, const std::string& path, std::string_view kind,
                        const std::string& pattern, std::size_t files) {
    result.push_back(config_finding(*teller, source, path, std::string(kind),
                                    {{"pattern", quote(pattern)}, {"count", std::to_string(files)}}));
  };
  for (const auto& [place, count] : selects.places())
    if (count.matched == 0) tell(place.source, place.path, "select", place.pattern, count.files);
  for (const FilePattern& one : file_patterns(rules)) {
    const auto matches = [&](const std::string& path) { return one.glob->matches(path); };
    if (std::any_of(paths.begin(), paths.end(), matches)) continue;
    if (one.glob->matches_on_disk(kMostFiles).value_or(true)) continue;
    tell(one.source, one.path, one.kind, one.glob->pattern(), paths.size());
  }
  return result;
}

}  // namespace ckpt::lint
