// The state of a datamodule, which a team expects in the file.
#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"name", ParamType::kString, "''", "the class name (__qualname__) of the datamodule; '' for any"},
};
constexpr KindSpec kKinds[] = {{"missing", ""}, {"renamed", "other"}, {"none", ""}};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& items = context.items();
  if (items.kind != training::FileKind::kTrainer) return;
  const std::string& name = rule.string("name");
  if (name.empty() ? items.datamodule != kNoNode : member(context.file().tree, items.root, name) != kNoNode)
    return;
  if (name.empty()) return emit(make_hit("", "none", report::PlaceKind::kProperty));
  const bool other = items.datamodule != kNoNode;
  Hit hit = make_hit(key_path("", name), other ? "renamed" : "missing", report::PlaceKind::kProperty);
  if (other) hit.fields = {{"other", quote(items.datamodule_key)}};
  emit(std::move(hit));
}

}  // namespace

const Check kDatamoduleState{.name = "datamodule-state",
                             .help = "a datamodule whose state the file lacks",
                             .needs = kNothing,
                             .params = kParams,
                             .run = run,
                             .kinds = kKinds};

}  // namespace ckpt::lint
