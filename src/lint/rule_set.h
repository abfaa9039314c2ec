// Rule sets: which rules of the catalogue are on, at what level, with what parameters; a team's own rules;
// what is different for some files; and what is suppressed. The catalogue (rules/catalog/*.yaml) and the
// built-in sets (rules/*.yaml) are compiled in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/glob.h"
#include "files/file_glob.h"
#include "files/yaml_records.h"
#include "lint/rule.h"
#include "training/items.h"

namespace ckpt::lint {

struct BuiltinFile {
  std::string_view name;                // "weights-nonfinite", "recommended"
  std::span<const YamlRecord> records;  // read when the program was built
};
std::span<const BuiltinFile> builtin_catalog();    // generated from rules/catalog at build time
std::span<const BuiltinFile> builtin_rule_sets();  // generated from rules/*.yaml

// What a file is for, as it is configured. kAuto looks at each file: kResume if any training state
// (optimizers, schedulers, callbacks, a scaler) is there, else kInference.
enum class ProfileSetting : std::uint8_t { kResume, kInference, kFinetune, kAny, kAuto };
struct ProfileInfo {
  ProfileSetting setting;
  std::string_view name;
  std::string_view help;  // what it says about training state that is missing, and about a base
};
std::span<const ProfileInfo> profiles();
std::vector<std::string> profile_names();
std::string_view to_string(ProfileSetting setting);
std::optional<ProfileSetting> parse_profile(std::string_view text);
Profile profile_for(ProfileSetting setting, const training::Items& items);

// An entry of `suppressions:`: findings that do not count.
struct Suppression {
  std::string rule;             // an id that exists
  std::vector<FileGlob> files;  // empty: every file
  std::vector<Glob> paths;      // over paths and names of weights; empty: all
  std::string reason;           // never empty
  std::string expires;          // "2026-10-01", the last day on which it works; empty: never expires
  std::string source;           // the rule file in which it stands
  std::string position;         // "team.yaml:12:5"
  std::size_t index = 0;        // in its file
};

// An entry of `exclude:`: what a folder or a pattern of the command line passes over.
struct Exclusion {
  FileGlob files;
  std::string source;     // the rule file
  std::string position;   // "team.yaml:3:10"
  std::size_t index = 0;  // in its file
};

// An entry of `tests:`: what the rules must say about a file (ckpt-lint --test).
struct RuleTest {
  std::string file;                // as it is found from the working directory
  std::string against;             // likewise; empty: none
  std::vector<std::string> fires;  // ids of rules that must have a finding
  std::vector<std::string> silent;
  std::string position;
};

struct Layers;  // what the files said, in order: see layers.h

struct RuleSet {
  std::string name;                       // "recommended", or the path as given
  std::optional<ProfileSetting> profile;  // the file's own `profile:`; the command line wins over it
  std::string profile_origin;             // "team.yaml:2:1"
  std::vector<Rule> rules;  // all of the catalogue in id order, then the team's own in file order
  std::vector<Suppression> suppressions;
  std::vector<Exclusion> exclusions;
  std::vector<RuleTest> tests;     // of the file itself, not of those that it extends
  std::vector<std::string> files;  // rule files on disk in the order in which they are applied, each once
  std::shared_ptr<const Layers> layers;
};

// All rules of the catalogue, off, with default parameters and levels.
std::vector<Rule> load_catalog();

// `name_or_path`: a file if there is one, else a built-in set with or without ".yaml". Throws Error{kUsage}
// with "FILE:LINE:COLUMN: what is wrong (did you mean ...?)" for everything that is not understood: unknown
// keys, rules, checks, parameters, sections, levels; wrong types; duplicate keys; anchors, aliases, tags,
// several documents; more than 1 MB or 16 levels; NaN or infinite thresholds; cycles of `extends`.
RuleSet load_rule_set(const std::string& name_or_path);

// The set as it is for one file: with the `overrides` whose `files` match its path. Throws like load_rule_set
// where overrides that are right one by one do not fit together.
RuleSet resolve(const RuleSet& set, const std::string& checkpoint);
// Which overrides match: files with the same answer have the same rules.
std::vector<bool> matching_overrides(const RuleSet& set, const std::string& checkpoint);

// The .ckpt-lint.yaml nearest to `folder` upwards, as a path from the working directory; none beyond a folder
// with .git in it. Throws Error{kUsage} where there is a .ckpt-lint.yml instead.
std::optional<std::string> discover_config(const std::string& folder);

}  // namespace ckpt::lint
