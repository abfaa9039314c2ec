// One file and its rules: opened, judged, its suppressions applied, closed.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "diff/names.h"
#include "lint/find_inputs.h"
#include "lint/patterns.h"
#include "lint/rule_set.h"
#include "lint/scope.h"
#include "lint/suppress.h"
#include "report/report.h"
#include "training/opened.h"

namespace ckpt::lint {

struct JudgeSettings {
  const Opened* base = nullptr;           // readable, or null
  std::size_t base_index = 0;             // of the base in the report's inputs
  std::optional<ProfileSetting> profile;  // wins over that of the rules
  std::string today;
  std::size_t jobs = 1;          // threads for the tensors of the file
  diff::NameOptions names = {};  // how weights of the file and of the base are matched
  std::function<Opened(const std::string& path)> open = {};  // instead of open_input; may be empty
};

// What is left of a file when it is judged and closed.
struct Judged {
  report::Input input;
  std::vector<report::Finding> findings;
  SuppressionUse use;
  SelectUse selects;
  Scope scope;
  std::vector<std::string> troubles;  // why it was not read, not to its end, or not in one piece
};

// `rules` is the set resolved for the file, `index` the place of the file in the report's inputs. Throws
// nothing for what the file is: that is a trouble, and what can still be said about the file is said.
Judged judge_file(const Input& named, std::size_t index, const RuleSet& rules, const JudgeSettings& settings);

}  // namespace ckpt::lint
