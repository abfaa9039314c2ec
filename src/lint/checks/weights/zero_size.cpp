// Weights of size 0: what ZeRO stage 3 leaves in the state_dict in place of a partitioned parameter.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/weights/modules.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"names", ParamType::kGlobs, "[\"**weight*\", \"**bias*\"]", "names that must have elements"},
    {"allow", ParamType::kGlobs, "[]", "names that may be empty"},
};
constexpr KindSpec kKinds[] = {{"zero-size", "name shape"}};

// DeepSpeed leaves exactly torch.Size([0]) (runtime/zero/partition_parameters.py). A 0 among other sizes is a
// layer that was built that way: nn.Embedding(0, 4), nn.Linear(4, 0).
bool is_placeholder(const TensorRecord& record) {
  return record.layout == "strided" && record.view.shape == std::vector<std::int64_t>{0};
}

// Modules whose weight is that of an empty layer ([0, 4]): their bias of [0] is right.
std::set<std::string, std::less<>> empty_layers(const Context& context) {
  std::set<std::string, std::less<>> modules;
  const auto& file = context.file();
  for (const auto& key : weight_keys(file, context.items())) {
    if (!is_kind(file.tree, key.value, Kind::kTensor)) continue;
    const auto& shape = file.tensor_records[file.tree.payload(key.value)].view.shape;
    if (shape.size() > 1 && shape.front() == 0) modules.emplace(module_of(key.name));
  }
  return modules;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  const auto names = globs_of(rule, "names"), allow = globs_of(rule, "allow");
  const auto empty = empty_layers(context);
  for (const auto index : context.selected(rule)) {
    const auto& entry = file.entries[index];
    const auto& record = file.record_of(entry);
    if (entry.part || !is_placeholder(record)) continue;
    const auto name = training::weight_name(context.items(), entry.path).value_or(entry.path);
    if (!any_match(names, name) || any_match(allow, name) || empty.contains(module_of(name))) continue;
    Hit hit = make_hit(entry.path, "zero-size", report::PlaceKind::kTensor);
    hit.fields = {{"name", name}, {"shape", format_shape(record.view.shape)}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kZeroSize{.name = "zero-size",
                      .help = "weights without elements",
                      .needs = kNothing,
                      .params = kParams,
                      .run = run,
                      .kinds = kKinds};

}  // namespace ckpt::lint
