// Weights of another shape or dtype than in the base.

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"shape", "dtype"};
constexpr ParamSpec kParams[] = {
    {"of", ParamType::kString, "shape", "shape | dtype", kChoices},
    {"show", ParamType::kInteger, "20", "more weights with the same change than this become one finding"},
};
constexpr std::string_view kFields[] = {"text", "name"};

struct Changed {
  std::string name, path, base_path;
};

std::string show_side(const tensor::TensorView& view, bool dtype) {
  return dtype ? std::string(tensor::name(view.dtype)) : format_shape(view.shape);
}

// By what changed: "bfloat16, float32 in the base". Casting a model changes all of its weights in one way.
std::map<std::string, std::vector<Changed>> changes_of(const Context& context, bool dtype) {
  std::map<std::string, std::vector<Changed>> changes;
  const Checkpoint& base = *context.base->file;
  for (const auto& pair : weight_pairs(context)) {
    const auto& entry = context.file().entries[pair.now];
    const auto& old_entry = base.entries[pair.base];
    const auto now = show_side(context.file().record_of(entry).view, dtype);
    const auto old = show_side(base.record_of(old_entry).view, dtype);
    if (now != old)
      changes[now + ", " + old + " in the base"].push_back({pair.name, entry.path, old_entry.path});
  }
  return changes;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const std::string& of = rule.string("of");
  for (const auto& [text, weights] : changes_of(context, of == "dtype")) {
    if (weights.size() > static_cast<std::size_t>(rule.integer("show"))) {
      Hit hit =
          text_hit(context.items().state_dict_path, of,
                   plural(weights.size(), "weight") + ": " + text + ", first " + quote(weights.front().name),
                   report::PlaceKind::kObject);
      hit.properties = {{"count", std::uint64_t{weights.size()}}};
      emit(std::move(hit));
      continue;
    }
    for (const auto& weight : weights) {
      Hit hit = text_hit(weight.path, of, text, report::PlaceKind::kTensor);
      hit.base_path = weight.base_path;
      hit.fields.push_back({"name", weight.name});
      emit(std::move(hit));
    }
  }
}

}  // namespace

const Check kShapeChange{.name = "shape-change",
                         .help = "weights of another shape or dtype than in the base",
                         .needs = kBase,
                         .params = kParams,
                         .fields = kFields,
                         .run = run};

}  // namespace ckpt::lint
