// What a fuzzer does with a checkpoint: opened, judged by every rule of the strict set, compared with itself.
#pragma once

#include "base/error.h"
#include "checkpoint/open.h"
#include "checkpoint/source.h"
#include "diff/diff.h"
#include "lint/engine.h"
#include "lint/rule_set.h"
#include "tests/fuzz/fuzz_input.h"
#include "training/opened.h"

namespace ckpt::fuzz {

inline void judge(const Source& source) {
  static const lint::RuleSet kRules = lint::load_rule_set("strict");
  Opened input;
  input.path = source.path();
  try {
    input = read_input(open_checkpoint(source, short_limits()), input.path);
  } catch (const Error& error) {
    input.failure = error;
  }
  try {
    lint::run_rules(kRules, input, 0, input.file ? &input : nullptr, 0, {});
    if (!input.file) return;
    const Opened* const both[] = {&input, &input};
    diff::compare(both, {});
  } catch (const Error&) {
    // bytes of a tensor that cannot be read
  }
}

}  // namespace ckpt::fuzz
