// Runs one rule of the product's catalogue over checkpoints that a test has built.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lint/engine.h"
#include "lint/rule_set.h"
#include "tests/support/checkpoint_builder.h"

namespace ckpt::test {

struct LintRun {
  const Opened* base = nullptr;
  lint::Profile profile = lint::Profile::kResume;
  std::vector<lint::Param> params = {};   // replace those of the catalogue
  std::vector<std::string> tensors = {};  // replaces select.tensors
};

inline std::vector<report::Finding> lint_with(std::string_view id, const Opened& input,
                                              const LintRun& run = {}) {
  lint::RuleSet set;
  for (auto& rule : lint::load_catalog()) {
    if (rule.info.id != id) continue;
    rule.on = true;
    for (const auto& param : run.params) {
      for (auto& own : rule.params)
        if (own.name == param.name) own.value = param.value;
    }
    if (!run.tensors.empty()) {
      rule.select.tensors.clear();
      for (const auto& glob : run.tensors) rule.select.tensors.emplace_back(glob);
    }
    set.rules.push_back(rule);
  }
  lint::EngineOptions options;
  options.profile = run.profile;
  return lint::run_rules(set, input, 0, run.base, 1, options);
}

// "error optimizer_states[0].state: empty ..." for a list that reads well in a failure.
inline std::vector<std::string> lines(const std::vector<report::Finding>& findings) {
  std::vector<std::string> result;
  for (const auto& f : findings)
    result.push_back(std::string(report::to_string(f.level)) + " " + f.where.path + ": " + f.message);
  return result;
}

}  // namespace ckpt::test
