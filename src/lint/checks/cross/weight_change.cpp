// Weights that came, went or were renamed, or have another shape or dtype than in the base, or were tied.
#include <map>
#include <optional>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

using diff::Change;
using diff::ChangeKind;

constexpr std::string_view kChoices[] = {"removed", "added", "renamed", "shape", "dtype", "tie"};
constexpr ParamSpec kParams[] = {
    {"of", ParamType::kString, "", "what changed", kChoices},
    {"show", ParamType::kInteger, "20", "more weights with the same change than this become one finding"},
};
// With "-all": the finding about all of them.
constexpr KindSpec kKinds[] = {
    {"removed", "name", "of=removed"},
    {"removed-all", "count name", "of=removed"},
    {"added", "name", "of=added"},
    {"added-all", "count name", "of=added"},
    {"renamed", "name base reason", "of=renamed"},
    {"renamed-all", "count name base reason", "of=renamed"},
    {"shape", "name now base", "of=shape"},
    {"shape-all", "count name now base", "of=shape"},
    {"type", "name now base", "of=shape"},
    {"type-all", "count name now base", "of=shape"},
    {"dtype", "name now base", "of=dtype"},
    {"dtype-all", "count name now base", "of=dtype"},
    {"number-kind", "name now base", "of=dtype"},
    {"number-kind-all", "count name now base", "of=dtype"},
    {"tie", "name now base", "of=tie"},
    {"tie-all", "count name now base", "of=tie"},
};

const tensor::TensorView& base_view(const Context& context, const Change& change) {
  return context.diff->sides[0].record(change.old_slot).view;
}

const tensor::TensorView& view(const Context& context, const Change& change) {
  return context.diff->sides[1].record(change.new_slot).view;
}

// Null where the rule is about something else. A cast to another kind of number loses what the first had.
std::string_view kind_of(const Context& context, const Change& change, std::string_view of) {
  switch (change.kind) {
    case ChangeKind::kRemoved: return of == "removed" ? of : "";
    case ChangeKind::kAdded: return of == "added" ? of : "";
    case ChangeKind::kRenamed: return of == "renamed" ? of : "";
    case ChangeKind::kShape: return of == "shape" ? of : "";
    case ChangeKind::kType: return of == "shape" ? "type" : "";
    case ChangeKind::kSharing: return of == "tie" ? of : "";
    case ChangeKind::kDType:
      if (of != "dtype") return "";
      return tensor::dtype_class(base_view(context, change).dtype) ==
                     tensor::dtype_class(view(context, change).dtype)
                 ? of
                 : "number-kind";
    case ChangeKind::kDevice:
    case ChangeKind::kValues:
    case ChangeKind::kValue: return "";
  }
  return "";
}

struct Sides {
  std::string base, now;
};

Sides sides_of(const Context& context, const Change& change) {
  switch (change.kind) {
    case ChangeKind::kShape:
      return {format_shape(base_view(context, change).shape), format_shape(view(context, change).shape)};
    case ChangeKind::kDType:
      return {std::string(tensor::name(base_view(context, change).dtype)),
              std::string(tensor::name(view(context, change).dtype))};
    case ChangeKind::kType: return {show_base(context, change), show_now(context, change)};
    case ChangeKind::kSharing: return {change.detail->old_text, change.detail->new_text};
    case ChangeKind::kRemoved:
    case ChangeKind::kAdded:
    case ChangeKind::kRenamed:
    case ChangeKind::kDevice:
    case ChangeKind::kValues:
    case ChangeKind::kValue: return {};
  }
  return {};
}

std::string name_of(const Change& change) {
  return std::string(change.name.empty() ? change.path : change.name);
}

std::vector<Field> fields_of(const Context& context, const Change& change) {
  std::vector<Field> fields = {{"name", name_of(change)}};
  if (change.kind == ChangeKind::kRenamed) {
    fields.push_back({"base", std::string(change.old_name)});
    fields.push_back({"reason", change.detail ? change.detail->text : ""});
    return fields;
  }
  const Sides sides = sides_of(context, change);
  fields.push_back({"base", sides.base});
  fields.push_back({"now", sides.now});
  return fields;
}

// What weights have in common that one finding can tell: casting a model changes all of them in one way.
std::string same_change(const Context& context, const Change& change, std::string_view kind) {
  if (change.kind == ChangeKind::kRenamed) return change.detail ? change.detail->text : "";
  const Sides sides = sides_of(context, change);
  return std::string(kind) + '\n' + sides.base + '\n' + sides.now;
}

void emit_all(const Context& context, const std::vector<const Change*>& changes, std::string_view kind,
              const Emit& emit) {
  Hit hit = make_hit(context.items().state_dict_path, std::string(kind) + "-all", report::PlaceKind::kObject);
  hit.fields = fields_of(context, *changes.front());
  hit.fields.push_back({"count", std::to_string(changes.size())});
  hit.properties = {{"count", std::uint64_t{changes.size()}}};
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  std::map<std::string, std::vector<const Change*>> groups;
  for (const Change& change : context.diff->changes) {
    if (change.section != training::Section::kWeights) continue;
    const std::string_view kind = kind_of(context, change, rule.string("of"));
    if (!kind.empty()) groups[same_change(context, change, kind)].push_back(&change);
  }
  for (const auto& [text, changes] : groups) {
    const std::string_view kind = kind_of(context, *changes.front(), rule.string("of"));
    if (changes.size() > static_cast<std::size_t>(rule.integer("show"))) {
      emit_all(context, changes, kind, emit);
      continue;
    }
    for (const Change* change : changes) {
      Hit hit = change_hit(*change, kind, report::PlaceKind::kTensor);
      hit.fields = fields_of(context, *change);
      emit(std::move(hit));
    }
  }
}

}  // namespace

const Check kWeightChange{
    .name = "weight-change",
    .help = "weights that came, went, were renamed, or have another shape, dtype or tie",
    .needs = kDiff,
    .params = kParams,
    .run = run,
    .kinds = kKinds};

}  // namespace ckpt::lint
