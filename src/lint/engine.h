// Runs a rule set over inputs: plan (which tensors need numbers, is a comparison with the base needed) -> one
// parallel pass over them -> checks -> findings, sorted. Reports are the same for any number of jobs.
#pragma once

#include <cstddef>
#include <vector>

#include "diff/names.h"
#include "lint/check.h"
#include "lint/rule_set.h"
#include "report/finding.h"

namespace ckpt::lint {

struct EngineOptions {
  Profile profile = Profile::kResume;
  std::size_t jobs = 1;
  // false: no tensor is read, and rules about numbers and differences stay silent (an input that broke while
  // it was read)
  bool numbers = true;
  diff::NameOptions names = {};  // how weights of the input and of the base are matched
  bool profile_asked = false;    // by --profile or by a rule file
};

// `input_index` goes into Location::input of the findings, `base_index` into the related ones.
std::vector<report::Finding> run_rules(const RuleSet& rules, const Opened& input, std::size_t input_index,
                                       const Opened* base, std::size_t base_index,
                                       const EngineOptions& options);

}  // namespace ckpt::lint
