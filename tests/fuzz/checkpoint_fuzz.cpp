// Any bytes as a checkpoint: opened, judged by every rule of the strict set, compared with itself.
#include "base/error.h"
#include "checkpoint/open.h"
#include "diff/diff.h"
#include "io/byte_source.h"
#include "lint/engine.h"
#include "lint/rule_set.h"
#include "tests/fuzz/fuzz_input.h"
#include "training/opened.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ckpt;
  static const lint::RuleSet kRules = lint::load_rule_set("strict");
  Opened input;
  input.path = "fuzz.ckpt";
  try {
    const auto bytes = io::memory_source(fuzz::bytes_of(data, size));
    input = read_input(open_checkpoint(bytes, input.path, fuzz::short_limits()), input.path);
  } catch (const Error& error) {
    input.failure = error;
  }
  try {
    lint::run_rules(kRules, input, 0, input.file ? &input : nullptr, 0, {});
    if (!input.file) return 0;
    const Opened* const both[] = {&input, &input};
    diff::compare(both, {});
  } catch (const Error&) {
    // bytes of a tensor that cannot be read
  }
  return 0;
}
