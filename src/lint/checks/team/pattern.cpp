// Patterns of a rule file that match nothing. As for suppressions, the result is known only after all files
// are judged: lint/patterns.cpp makes the findings, and run() does nothing.
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {
    {"select", "pattern count"}, {"override", "pattern"}, {"suppression", "pattern"}, {"exclude", "pattern"}};

void run(const Context& /*context*/, const Rule& /*rule*/, const Emit& /*emit*/) {}

}  // namespace

const Check kPattern{.name = "pattern",
                     .help = "patterns of a rule file that match nothing",
                     .needs = kNothing,
                     .params = {},
                     .run = run,
                     .kinds = kKinds};

}  // namespace ckpt::lint
