// The state of a datamodule that a team expects in the file.
#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"name", ParamType::kString, "''", "the class name (__qualname__) of the datamodule; '' for any"},
};
constexpr std::string_view kFields[] = {"text"};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& items = context.items();
  if (items.kind != training::FileKind::kTrainer) return;
  const std::string& name = rule.string("name");
  if (name.empty() ? items.datamodule != kNoNode : member(context.file().tree, items.root, name) != kNoNode)
    return;
  std::string text = name.empty() ? "no key that looks like a datamodule's class" : "absent";
  if (items.datamodule != kNoNode) text += ", but there is " + quote(items.datamodule_key);
  emit(text_hit(name.empty() ? "" : key_path("", name), "missing",
                text + ": the datamodule starts from its beginning", report::PlaceKind::kProperty));
}

}  // namespace

const Check kDatamoduleState{.name = "datamodule-state",
                             .help = "the state of a datamodule that is not in the file",
                             .needs = kNothing,
                             .params = kParams,
                             .fields = kFields,
                             .run = run};

}  // namespace ckpt::lint
