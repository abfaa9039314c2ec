// Plain values, hyperparameters by default, that differ from the base.
#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

using diff::Change;

constexpr ParamSpec kParams[] = {
    {"under", ParamType::kStrings, "[hyper_parameters, datamodule_hyper_parameters]",
     "top-level keys to compare"},
    {"skip", ParamType::kGlobs, "[]", "paths that may change"},
};
constexpr KindSpec kKinds[] = {
    {"changed", "base now"},
    {"added", "now"},
    {"removed", "base"},
};

std::string_view kind_of(const Change& change) {
  if (change.kind == diff::ChangeKind::kAdded) return "added";
  return change.kind == diff::ChangeKind::kRemoved ? "removed" : "changed";
}

bool is_value(const Change& change) {
  return change.old_slot.kind == diff::SlotKind::kLeaf || change.new_slot.kind == diff::SlotKind::kLeaf;
}

void compare(const Context& context, std::string_view root, const std::vector<Glob>& skip, const Emit& emit) {
  for (const Change& change : context.diff->changes) {
    if (!is_value(change) || !diff::is_below(change.path, root) || any_match(skip, change.path)) continue;
    Hit hit = change_hit(change, kind_of(change));
    hit.fields = {{"base", show_base(context, change)}, {"now", show_now(context, change)}};
    emit(std::move(hit));
  }
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const std::vector<Glob> skip = globs_of(rule, "skip");
  for (const std::string& key : rule.strings("under")) compare(context, key_path("", key), skip, emit);
}

}  // namespace

const Check kValueChange{.name = "value-change",
                         .help = "hyperparameters that differ from the base",
                         .needs = kDiff,
                         .params = kParams,
                         .run = run,
                         .kinds = kKinds};

}  // namespace ckpt::lint
