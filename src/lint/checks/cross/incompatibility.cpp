// What resuming or loading makes of the file in the code that wrote the base, as ckpt-diff says it.
#include <algorithm>
#include <stdexcept>

#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"compat", ParamType::kStrings, "", "kinds of incompatibility, as ckpt-diff names them (compat-...)"},
};
constexpr KindSpec kKinds[] = {
    {"nonfinite", "message", "compat=compat-nonfinite"},
    {"no-training-state", "message", "compat=compat-no-training-state"},
    {"version-missing", "message", "compat=compat-version-missing"},
    {"loops-missing", "message", "compat=compat-loops-missing"},
    {"optimizer-missing", "message", "compat=compat-optimizer-missing"},
    {"optimizer-count", "message", "compat=compat-optimizer-count"},
    {"optimizer-type", "message", "compat=compat-optimizer-type"},
    {"optimizer-empty", "message", "compat=compat-optimizer-empty"},
    {"optimizer-groups", "message", "compat=compat-optimizer-groups"},
    {"optimizer-order", "message", "compat=compat-optimizer-order"},
    {"callback-key", "message base", "compat=compat-callback-key"},
    {"callback-missing", "message", "compat=compat-callback-missing"},
    {"datamodule-key", "message base", "compat=compat-datamodule-key"},
    {"datamodule-missing", "message", "compat=compat-datamodule-missing"},
    {"averaged", "message", "compat=compat-averaged"},
    {"averaging-missing", "message", "compat=compat-averaging-missing"},
    {"averaging-shape", "message", "compat=compat-averaging-shape"},
    {"state-nonfinite", "message", "compat=compat-state-nonfinite"},
    {"state-incomplete", "message", "compat=compat-state-incomplete"},
};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  emit_incompatibilities(context, rule.strings("compat"), emit);
}

void validate(const Rule& rule) {
  for (const std::string& id : rule.strings("compat"))
    if (std::none_of(std::begin(kKinds), std::end(kKinds),
                     [&](const KindSpec& kind) { return "compat-" + std::string(kind.name) == id; }))
      throw std::invalid_argument("no kind of incompatibility is called '" + id + "'");
}

}  // namespace

const Check kIncompatibility{.name = "incompatibility",
                             .help = "what breaks resuming or loading in the code that wrote the base",
                             .needs = kDiff,
                             .params = kParams,
                             .run = run,
                             .validate = validate,
                             .kinds = kKinds};

}  // namespace ckpt::lint
