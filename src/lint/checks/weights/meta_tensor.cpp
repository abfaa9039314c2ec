// Weights without data: meta tensors, parameters of lazy modules that never saw a batch, empty records.
#include <set>

#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"codes", ParamType::kStrings, "[]", "defects of the reader that mean the same"},
};
constexpr KindSpec kKinds[] = {
    {"meta", "name"},
    {"uninitialized", "name"},  // a parameter of a lazy module
    {"no-data", "name"},        // the record is there, but empty
    {"defect", "name defect"},  // the words of the reader
};

// The kind of the finding; empty if the tensor has its data, or if its record is missing, which is a defect
// of the file.
std::string_view kind_without_data(const Checkpoint& file, const TensorRecord& record) {
  if (record.layout == "uninitialized") return "uninitialized";
  const auto& view = record.view;
  if (view.numel == 0) return "";
  if (!view.has_storage()) return record.parts.empty() ? "meta" : "";
  const auto& storage = file.storages[view.storage];
  if (storage.location == "meta") return "meta";
  return storage.no_data ? "no-data" : "";
}

Hit weight_hit(std::string path, std::string_view kind, std::string name) {
  Hit hit = make_hit(std::move(path), kind, report::PlaceKind::kTensor);
  hit.fields = {{"name", std::move(name)}};
  return hit;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  std::set<std::string_view> said;
  for (const auto index : context.selected(rule)) {
    const auto& entry = file.entries[index];
    const auto name = training::weight_name(context.items(), entry.path);
    if (!name || entry.part) continue;
    const auto kind = kind_without_data(file, file.record_of(entry));
    if (kind.empty()) continue;
    said.insert(entry.path);
    emit(weight_hit(entry.path, kind, *name));
  }
  for (const auto& code : rule.strings("codes"))
    for (const auto& defect : file.defects) {
      if (defect.code != code || !said.insert(defect.path).second) continue;
      Hit hit = weight_hit(defect.path, "defect", defect.path);
      hit.fields.push_back({"defect", defect.text});
      emit(std::move(hit));
    }
}

}  // namespace

const Check kMetaTensor{.name = "meta-tensor",
                        .help = "weights that have a shape but no data",
                        .needs = kNothing,
                        .params = kParams,
                        .run = run,
                        .kinds = kKinds};

}  // namespace ckpt::lint
