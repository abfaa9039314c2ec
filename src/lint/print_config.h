// The effective rule set as a rule file: every rule that is on with its level and options, each with a
// comment that says where it comes from. Loaded again, it has the same effect.
#pragma once

#include <string>

#include "lint/rule_set.h"

namespace ckpt::lint {

struct PrintedConfig {
  std::string checkpoint;  // the file that it is for; empty: for files in general, without overrides
  ProfileSetting profile = ProfileSetting::kResume;
  std::string profile_origin;  // "--profile", "team.yaml:2:1", a built-in set's name; empty: the default
  bool discovered = false;     // the rule file was found from the checkpoint's folder, not named
};

// `set` is resolved for the checkpoint. Globs over files come out relative to the working directory.
std::string print_config(const RuleSet& set, const PrintedConfig& about);

}  // namespace ckpt::lint
