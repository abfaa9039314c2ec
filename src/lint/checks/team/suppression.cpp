// Suppressions that have expired or match nothing. They belong to the rule files, not to a checkpoint, and
// the result is known only after all files are judged: lint/suppress.cpp emits the findings, and run() does
// nothing.
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kStates[] = {"expired", "unused"};
constexpr ParamSpec kParams[] = {
    {"state", ParamType::kString, "", "what is wrong with the suppression", kStates},
};
constexpr KindSpec kKinds[] = {{"expired", "rule source expires reason", "state=expired"},
                               {"unused", "rule source count reason", "state=unused"}};

void run(const Context& /*context*/, const Rule& /*rule*/, const Emit& /*emit*/) {}

}  // namespace

const Check kSuppression{.name = "suppression",
                         .help = "suppressions of a rule file that have expired or match no finding",
                         .needs = kNothing,
                         .params = kParams,
                         .run = run,
                         .kinds = kKinds};

}  // namespace ckpt::lint
