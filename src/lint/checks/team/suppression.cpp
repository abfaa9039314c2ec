// Suppressions that have expired or cover nothing. They belong to the rule files, not to a checkpoint, and
// are known only when all files are judged: lint/suppress.cpp emits the findings, run()
// has nothing to look at.
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kStates[] = {"expired", "unused"};
constexpr ParamSpec kParams[] = {
    {"state", ParamType::kString, "", "what is wrong with the suppression", kStates},
};
constexpr std::string_view kFields[] = {"text"};

void run(const Context& /*context*/, const Rule& /*rule*/, const Emit& /*emit*/) {}

}  // namespace

const Check kSuppression{.name = "suppression",
                         .help = "suppressions of a rule file that have expired or cover no finding",
                         .needs = kNothing,
                         .params = kParams,
                         .fields = kFields,
                         .run = run};

}  // namespace ckpt::lint
