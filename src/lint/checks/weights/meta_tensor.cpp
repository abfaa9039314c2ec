// Weights without data: meta tensors, lazy modules that never saw a batch.
#include <set>

#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"codes", ParamType::kStrings, "[]", "codes of readers' defects that say the same"},
};
constexpr std::string_view kFields[] = {"name", "reason"};

// Empty where the tensor has its data, or where another rule says what is wrong (a missing record).
std::string why_without_data(const Checkpoint& file, const TensorRecord& record) {
  if (record.layout == "uninitialized") return "a lazy module's parameter that was never initialised";
  const auto& view = record.view;
  if (view.numel == 0) return "";
  if (!view.has_storage()) return record.parts.empty() ? "a meta tensor" : "";
  const auto& storage = file.storages[view.storage];
  if (storage.location == "meta") return "a meta tensor";
  return storage.no_data ? "its record holds no bytes" : "";
}

Hit weight_hit(std::string path, std::string name, std::string reason) {
  Hit hit = make_hit(std::move(path), "no-data", report::PlaceKind::kTensor);
  hit.fields = {{"name", std::move(name)}, {"reason", std::move(reason)}};
  return hit;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  std::set<std::string_view> said;
  for (const auto index : context.selected(rule)) {
    const auto& entry = file.entries[index];
    const auto name = training::weight_name(context.items(), entry.path);
    if (!name || entry.part) continue;
    if (auto reason = why_without_data(file, file.record_of(entry)); !reason.empty()) {
      said.insert(entry.path);
      emit(weight_hit(entry.path, *name, std::move(reason)));
    }
  }
  for (const auto& code : rule.strings("codes"))
    for (const auto& defect : file.defects)
      if (defect.code == code && said.insert(defect.path).second)
        emit(weight_hit(defect.path, defect.path, defect.text));
}

}  // namespace

const Check kMetaTensor{.name = "meta-tensor",
                        .help = "weights that have a shape and no data",
                        .needs = kNothing,
                        .params = kParams,
                        .fields = kFields,
                        .run = run};

}  // namespace ckpt::lint
