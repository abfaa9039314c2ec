#include "lint/rule_set.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/suggest.h"
#include "base/text.h"
#include "lint/config_entries.h"
#include "lint/layers.h"
#include "lint/rule_files.h"
#include "lint/rule_loader.h"
#include "lint/rule_params.h"

namespace ckpt::lint {
namespace {

constexpr std::size_t kChain = 16;       // files that extend one another in a row
constexpr std::size_t kFiles = 100;      // files of one rule set: two files may each extend the same others
constexpr std::size_t kOverrides = 200;  // each one is applied on its own while loading
constexpr std::array<std::string_view, 8> kKeys = {"extends", "set",       "profile",      "exclude",
                                                   "rules",   "overrides", "suppressions", "tests"};

constexpr ProfileInfo kProfiles[] = {
    {ProfileSetting::kResume, "resume",
     "Training goes on from the file, in the same run: missing training state is an error. Against a base, "
     "all that "
     "Trainer.fit(ckpt_path=...) restores must fit, as for ckpt-diff --compat resume, and counters must not "
     "go back."},
    {ProfileSetting::kInference, "inference",
     "The weights are used as they are: training state may be missing. Against a base, weights must fit, as "
     "for "
     "ckpt-diff --compat load, and counters must not go back."},
    {ProfileSetting::kFinetune, "finetune",
     "The file starts a new run from the weights of a base, or is the result of one: training state may be "
     "missing or "
     "new. Against the base, weights must fit, as for ckpt-diff --compat load, and counters may start "
     "again."},
    {ProfileSetting::kAny, "any",
     "Unknown: missing training state is a note, and so is training state that does not fit a base."},
    {ProfileSetting::kAuto, "auto",
     "resume for a file that has any training state (optimizers, schedulers, callbacks, a gradient scaler), "
     "else "
     "inference."},
};

class Loader {
 public:
  explicit Loader(const Library& library) : library_(library) {
    layers_.catalog = load_catalog(library);
    layers_.checks = library.checks;
  }

  RuleSet load(const std::string& name_or_path) {
    const RuleFile file = find_rule_file(name_or_path, "", library_.sets);
    set_.name = file.builtin.empty() ? name_or_path : std::string(file.builtin);
    read(file);
    finish();
    return std::move(set_);
  }

 private:
  // An entry of a file that names rules by id, kept until all rules are known.
  struct Naming {
    std::string source;
    YamlNode node;
    void (*check)(const std::string& source, const YamlNode& node, const std::vector<Rule>& rules);
  };

  // Recursion is bounded by kChain.
  void read(const RuleFile& file) {
    const YamlNode root = read_rule_file(file);
    for (const YamlNode& key : root.keys)
      if (std::find(kKeys.begin(), kKeys.end(), key.text) == kKeys.end())
        yaml_fail(
            file.source, key,
            fmt::format("unknown key {}{}; a rule file has: extends, profile, exclude, rules, overrides, "
                        "suppressions, tests, set",
                        describe(key),
                        did_you_mean(key.text, std::vector<std::string>(kKeys.begin(), kKeys.end()))));
    chain_.push_back(file.identity);
    if (const YamlNode* node = root.find("extends")) extend(file, *node);
    if (file.builtin.empty() &&
        std::find(set_.files.begin(), set_.files.end(), file.source) == set_.files.end())
      set_.files.push_back(file.source);
    add_own(file, root);
    chain_.pop_back();
  }

  void add_own(const RuleFile& file, const YamlNode& root) {
    Layer own;
    own.source = file.source;
    own.builtin = std::string(file.builtin);
    if (const YamlNode* node = root.find("set")) own.set = *node;
    if (const YamlNode* node = root.find("profile")) own.profile = *node;
    if (const YamlNode* node = root.find("rules")) own.rules = *node;
    layers_.steps.push_back(std::move(own));
    if (const YamlNode* node = root.find("exclude")) add_exclusions(file.source, *node);
    if (const YamlNode* node = root.find("overrides")) {
      for (Layer& layer : read_overrides(file.source, *node)) layers_.steps.push_back(std::move(layer));
      if (count_overrides(layers_) > kOverrides)
        yaml_fail(file.source, *node, fmt::format("more than {} overrides in total", kOverrides));
    }
    if (const YamlNode* node = root.find("suppressions")) {
      add_suppressions(read_suppressions(file.source, *node));
      namings_.push_back({file.source, *node, check_suppressed_ids});
    }
    if (const YamlNode* node = root.find("tests")) {
      std::vector<RuleTest> tests = read_tests(file.source, *node);
      if (chain_.size() == 1) set_.tests = std::move(tests);
      namings_.push_back({file.source, *node, check_tested_ids});
    }
  }

  void add_exclusions(const std::string& source, const YamlNode& node) {
    std::vector<FileGlob> globs = read_file_globs(source, node, "'exclude'");
    for (std::size_t i = 0; i < globs.size(); ++i) {
      std::string position = yaml_position(source, node.is_sequence() ? node.items[i] : node);
      const auto same = [&](const Exclusion& one) { return one.position == position; };
      if (std::none_of(set_.exclusions.begin(), set_.exclusions.end(), same))
        set_.exclusions.push_back({std::move(globs[i]), source, std::move(position), i});
    }
  }

  // A file that two others extend says what it says once.
  void add_suppressions(std::vector<Suppression> more) {
    for (Suppression& one : more) {
      const auto same = [&](const Suppression& s) { return s.position == one.position; };
      if (std::none_of(set_.suppressions.begin(), set_.suppressions.end(), same))
        set_.suppressions.push_back(std::move(one));
    }
  }

  void extend(const RuleFile& file, const YamlNode& node) {
    const std::vector<std::string> names = to_texts(file.source, node, "'extends'");
    for (std::size_t i = 0; i < names.size(); ++i)
      read(extended(file, node.is_sequence() ? node.items[i] : node, names[i]));
  }

  RuleFile extended(const RuleFile& file, const YamlNode& at, const std::string& name) {
    ++files_;
    if (chain_.size() >= kChain || files_ > kFiles)
      yaml_fail(
          file.source, at,
          fmt::format("more than {} files in a chain, or {} in total, extend one another", kChain, kFiles));
    RuleFile next;
    try {
      // A built-in set knows the built-in sets and nothing on disk.
      if (file.builtin.empty()) {
        next = find_rule_file(name, std::filesystem::path(file.source).parent_path().string(), library_.sets);
      } else if (const BuiltinFile* builtin = find_builtin(name, library_.sets)) {
        next = builtin_rule_file(*builtin);
      } else {
        fail(ErrorCode::kUsage, fmt::format("no built-in rule set '{}'", one_line(name)));
      }
    } catch (const Error& e) {
      yaml_fail(file.source, at, e.text());
    }
    if (std::find(chain_.begin(), chain_.end(), next.identity) != chain_.end())
      yaml_fail(file.source, at,
                fmt::format("'{}' extends itself: remove this line to break the cycle", one_line(name)));
    return next;
  }

  void finish() {
    const std::size_t overrides = count_overrides(layers_);
    Applied general = apply_layers(layers_, std::vector<bool>(overrides, false));
    // What an override says must be right whether or not a file of this run matches it.
    for (std::size_t i = 0; i < overrides; ++i) {
      std::vector<bool> one(overrides, false);
      one[i] = true;
      apply_layers(layers_, one);
    }
    const auto check_names = [&](const std::vector<Rule>& rules) {
      for (const Naming& naming : namings_) naming.check(naming.source, naming.node, rules);
    };
    check_names(overrides == 0 ? general.rules
                               : apply_layers(layers_, std::vector<bool>(overrides, true)).rules);
    set_.rules = std::move(general.rules);
    set_.profile = general.profile;
    set_.profile_origin = std::move(general.profile_origin);
    set_.layers = std::make_shared<const Layers>(std::move(layers_));
  }

  const Library& library_;
  RuleSet set_;
  Layers layers_;
  std::vector<Naming> namings_;
  std::vector<std::string> chain_;
  std::size_t files_ = 0;
};

}  // namespace

std::span<const ProfileInfo> profiles() { return kProfiles; }

std::vector<std::string> profile_names() {
  std::vector<std::string> names;
  for (const ProfileInfo& profile : kProfiles) names.emplace_back(profile.name);
  return names;
}

std::string_view to_string(ProfileSetting setting) {
  for (const ProfileInfo& profile : kProfiles)
    if (profile.setting == setting) return profile.name;
  return "";
}

std::optional<ProfileSetting> parse_profile(std::string_view text) {
  for (const ProfileInfo& profile : kProfiles)
    if (profile.name == text) return profile.setting;
  return std::nullopt;
}

Profile profile_for(ProfileSetting setting, const training::Items& items) {
  switch (setting) {
    case ProfileSetting::kResume: return Profile::kResume;
    case ProfileSetting::kInference: return Profile::kInference;
    case ProfileSetting::kFinetune: return Profile::kFinetune;
    case ProfileSetting::kAny: return Profile::kAny;
    case ProfileSetting::kAuto: break;
  }
  using training::FileKind;
  for (const FileKind kind : {FileKind::kTraining, FileKind::kOptimizer, FileKind::kScheduler})
    if (items.kind == kind) return Profile::kResume;
  // save_weights_only leaves out exactly these: what has one of them was meant to be resumed.
  for (const value::NodeId state :
       {items.optimizer_states, items.lr_schedulers, items.callbacks, items.precision})
    if (state != value::kNoNode) return Profile::kResume;
  return Profile::kInference;
}

Library builtin_library() { return {checks(), builtin_catalog(), builtin_rule_sets()}; }

std::vector<Rule> load_catalog(const Library& library) {
  std::vector<Rule> rules;
  for (const BuiltinFile& file : library.catalog) rules.push_back(read_catalog_rule(file, library.checks));
  std::sort(rules.begin(), rules.end(), [](const Rule& a, const Rule& b) { return a.info.id < b.info.id; });
  return rules;
}

RuleSet load_rule_set(const std::string& name_or_path, const Library& library) {
  return Loader(library).load(name_or_path);
}

std::vector<Rule> load_catalog() { return load_catalog(builtin_library()); }

RuleSet load_rule_set(const std::string& name_or_path) {
  return load_rule_set(name_or_path, builtin_library());
}

}  // namespace ckpt::lint
