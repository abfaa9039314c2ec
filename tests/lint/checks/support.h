// Runs one rule of the product's catalogue over checkpoints that a test has built.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "lint/engine.h"
#include "lint/rule_set.h"
#include "tests/support/checkpoint_builder.h"
#include "tests/support/lines.h"

namespace ckpt::test {

struct LintRun {
  const Opened* base = nullptr;
  lint::Profile profile = lint::Profile::kResume;
  std::vector<lint::Param> params = {};      // replace those of the catalogue
  std::vector<std::string> tensors = {};     // replaces select.tensors
  std::vector<std::string> with_rules = {};  // on as well, for `unless`; their findings are left out
};

// Parsed once a program: 150 files of YAML take a while under a sanitizer.
inline const std::vector<lint::Rule>& catalog() {
  static const std::vector<lint::Rule> rules = lint::load_catalog();
  return rules;
}

// A misspelt id or parameter is an error: a test of a rule that does not exist would always pass.
inline lint::Rule catalog_rule(std::string_view id) {
  for (const lint::Rule& rule : catalog())
    if (rule.info.id == id) return rule;
  throw std::logic_error("no rule " + std::string(id));
}

inline void set_param(lint::Rule& rule, const lint::Param& param) {
  const auto own = std::find_if(rule.params.begin(), rule.params.end(),
                                [&](const lint::Param& p) { return p.name == param.name; });
  if (own != rule.params.end()) {
    own->value = param.value;
    return;
  }
  for (const lint::ParamSpec& spec : rule.check->params) {
    if (spec.name != param.name) continue;
    rule.params.push_back(param);
    return;
  }
  throw std::logic_error("rule " + rule.info.id + " has no parameter " + param.name);
}

inline std::vector<report::Finding> lint_with(std::string_view id, const Opened& input,
                                              const LintRun& run = {}) {
  lint::RuleSet set;
  set.rules.push_back(catalog_rule(id));
  lint::Rule& rule = set.rules.back();
  for (const lint::Param& param : run.params) set_param(rule, param);
  if (!run.tensors.empty()) {
    rule.select.tensors.clear();
    for (const std::string& glob : run.tensors) rule.select.tensors.emplace_back(glob);
  }
  for (const std::string& other : run.with_rules) set.rules.push_back(catalog_rule(other));
  for (lint::Rule& one : set.rules) one.on = true;
  lint::EngineOptions options;
  options.profile = run.profile;
  std::vector<report::Finding> findings = lint::run_rules(set, input, 0, run.base, 1, options);
  std::erase_if(findings, [&](const report::Finding& f) { return f.rule_id != id; });
  return findings;
}

// "error optimizer_states[0].state: empty ..." for a list that reads well in a failure.
inline std::vector<std::string> lines(const std::vector<report::Finding>& findings) {
  std::vector<std::string> result;
  for (const auto& f : findings)
    result.push_back(std::string(report::to_string(f.level)) + " " + f.where.path + ": " + f.message);
  return result;
}

}  // namespace ckpt::test
