// How far tensors may move from the base: the check behind frozen layers and drift limits.
#include <cmath>
#include <set>
#include <stdexcept>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

// A limit of -1 is none: every other value is one, 0 means "must not move".
constexpr ParamSpec kParams[] = {
    {"max-abs", ParamType::kNumber, "-1", "largest |new - old| of an element; -1: no limit"},
    {"max-rel-l2", ParamType::kNumber, "-1", "largest |new - old| / |old| of the tensor; -1: no limit"},
    {"max-total-rel-l2", ParamType::kNumber, "-1",
     "largest |new - old| / |old| over all tensors that the rule selects, as one vector; -1: no limit"},
    {"min-cosine", ParamType::kNumber, "-1", "smallest cosine between old and new; -1: no limit"},
    {"identical", ParamType::kBool, "false", "must be the same bit for bit"},
};
constexpr KindSpec kKinds[] = {
    {"moved", "name changed count"}, {"bytes", "name"},
    {"nan", "name now base"},        {"distance", "name measure value limit"},
    {"cosine", "name value limit"},  {"total", "value count limit"},
    {"not-in-base", "name"},         {"shape", "name now base"},
    {"unreadable", "name"},          {"removed", "name"},
    {"nothing-selected", "pattern"},
};

struct Limits {
  double max_abs, max_rel_l2, max_total_rel_l2, min_cosine;
  bool identical;
};

Hit delta_hit(const std::string& path, const std::string& name, std::string_view kind,
              std::vector<Field> fields = {}) {
  Hit hit = make_hit(path, kind, report::PlaceKind::kTensor);
  hit.fields = std::move(fields);
  hit.fields.push_back({"name", name});
  return hit;
}

Field count_field(std::string_view name, std::uint64_t count) { return {name, std::to_string(count)}; }

struct Violation {
  std::string_view kind;
  std::vector<Field> fields;
};

Violation too_far(std::string_view measure, double value, double limit) {
  return {
      "distance",
      {{"measure", std::string(measure)}, {"value", format_short(value)}, {"limit", format_double(limit)}}};
}

// Written so that a NaN on either side of a comparison is a violation, not a pass.
std::optional<Violation> violation(const tensor::Delta& delta, const Limits& limits) {
  const auto moved = [&](std::uint64_t changed) {
    return Violation{"moved", {count_field("changed", changed), count_field("count", delta.numel)}};
  };
  if (limits.identical && !delta.same_bytes)
    return delta.changed > 0 ? moved(delta.changed) : Violation{"bytes", {}};
  const bool limited =
      limits.max_abs >= 0 || limits.max_rel_l2 >= 0 || limits.max_total_rel_l2 >= 0 || limits.min_cosine > -1;
  if (!delta.decoded)
    return limited && delta.differing > 0 ? std::optional(moved(delta.differing)) : std::nullopt;
  if (limited && delta.nan_old != delta.nan_new)
    return Violation{"nan", {count_field("now", delta.nan_new), count_field("base", delta.nan_old)}};
  if (limits.max_abs >= 0 && !(delta.max_abs <= limits.max_abs))
    return too_far("largest difference", delta.max_abs, limits.max_abs);
  if (limits.max_rel_l2 >= 0 && !(delta.rel_l2 <= limits.max_rel_l2))
    return too_far("relative L2", delta.rel_l2, limits.max_rel_l2);
  if (limits.min_cosine > -1 && !(delta.cosine >= limits.min_cosine))
    return Violation{"cosine",
                     {{"value", format_double(delta.cosine)}, {"limit", format_double(limits.min_cosine)}}};
  return std::nullopt;
}

// All selected tensors as one vector. A tensor with an element that is not finite has no distance: NaN stays.
struct Total {
  double squared_old = 0, squared_change = 0;
  std::uint64_t tensors = 0, elements = 0;

  void add(const tensor::Delta& delta) {
    const bool finite = delta.decoded && delta.nan_old + delta.nan_new + delta.inf_old + delta.inf_new == 0;
    const double change = delta.l2_old > 0 ? delta.rel_l2 * delta.l2_old : delta.l2_new;
    squared_change += finite ? change * change : std::nan("");
    squared_old += delta.l2_old * delta.l2_old;
    ++tensors;
    elements += delta.numel;
  }
  double rel_l2() const {
    if (squared_change == 0) return 0;
    return std::sqrt(squared_change) / std::sqrt(squared_old);  // inf where the base is all zeros
  }
};

void judge_total(const Context& context, const Rule& rule, const Total& total, const Emit& emit) {
  const double limit = rule.number("max-total-rel-l2");
  if (limit < 0 || total.rel_l2() <= limit) return;  // a NaN is a violation
  Hit hit = delta_hit(context.items().state_dict_path, "", "total",
                      {{"value", format_short(total.rel_l2())},
                       count_field("count", total.tensors),
                       {"limit", format_double(limit)}});
  hit.properties = {{"relL2", total.rel_l2()}, {"tensors", total.tensors}, {"elements", total.elements}};
  emit(std::move(hit));
}

struct Tensors {
  std::map<std::string, const TensorRecord*> by_name;
};

Tensors tensors_of(const Opened& opened) {
  Tensors result;
  for (const auto& entry : opened.file->entries)
    result.by_name.emplace(training::weight_name(opened.items, entry.path).value_or(entry.path),
                           &opened.file->record_of(entry));
  return result;
}

// Fail closed: a tensor that the rule names and that cannot be compared has not been shown to be the same.
Violation why_not_compared(const Tensors& base, const std::string& name, const TensorRecord& record) {
  const auto old = base.by_name.find(name);
  if (old == base.by_name.end()) return {"not-in-base", {}};
  if (old->second->view.shape == record.view.shape) return {"unreadable", {}};
  return {"shape",
          {{"now", format_shape(record.view.shape)}, {"base", format_shape(old->second->view.shape)}}};
}

// Tensors of the base that the rule would select and that this file does not have.
void report_removed(const Context& context, const Rule& rule, const Emit& emit) {
  std::set<std::string> names;
  for (const auto& entry : context.file().entries)
    names.insert(training::weight_name(context.items(), entry.path).value_or(entry.path));
  for (const auto& entry : context.base->file->entries) {
    const auto weight = training::weight_name(context.base->items, entry.path);
    const auto name = weight.value_or(entry.path);
    const bool selected =
        (weight && any_match(rule.select.tensors, *weight)) || any_match(rule.select.paths, entry.path);
    const bool ignored = any_match(rule.select.ignore, name) || any_match(rule.select.ignore, entry.path);
    if (!selected || ignored || names.contains(name)) continue;
    Hit hit = delta_hit(entry.path, name, "removed");
    hit.base_path = entry.path;
    emit(std::move(hit));
  }
}

bool selects_any(const Opened& opened, const Glob& glob, bool by_path) {
  for (const auto& entry : opened.file->entries) {
    const auto text = by_path ? std::optional(entry.path) : training::weight_name(opened.items, entry.path);
    if (text && glob.matches(*text)) return true;
  }
  return false;
}

// A pattern that selects nothing, a misspelt one above all, would pass everything.
void report_patterns(const Context& context, const Rule& rule, const Emit& emit) {
  for (const bool by_path : {false, true})
    for (const Glob& glob : by_path ? rule.select.paths : rule.select.tensors)
      if (!selects_any(context.input, glob, by_path) && !selects_any(*context.base, glob, by_path))
        emit(delta_hit("", "", "nothing-selected", {{"pattern", glob.pattern()}}));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Limits limits{rule.number("max-abs"), rule.number("max-rel-l2"), rule.number("max-total-rel-l2"),
                      rule.number("min-cosine"), rule.boolean("identical")};
  const auto base = tensors_of(*context.base);
  Total total;
  for (const auto index : context.selected(rule)) {
    const auto& entry = context.file().entries[index];
    const auto name = training::weight_name(context.items(), entry.path).value_or(entry.path);
    const auto* delta = context.delta(index);
    const bool compared = delta != nullptr;
    if (compared) total.add(*delta);
    auto found =
        compared ? violation(*delta, limits) : why_not_compared(base, name, context.file().record_of(entry));
    if (!found) continue;
    Hit hit = delta_hit(entry.path, name, found->kind, std::move(found->fields));
    if (compared)
      hit.properties = {{"changed", delta->changed},
                        {"elements", delta->numel},
                        {"maxAbs", delta->max_abs},
                        {"relL2", delta->rel_l2},
                        {"cosine", delta->cosine}};
    emit(std::move(hit));
  }
  judge_total(context, rule, total, emit);
  report_removed(context, rule, emit);
  report_patterns(context, rule, emit);
}

// A gate without a limit would pass everything.
void validate(const Rule& rule) {
  if (rule.on && rule.number("max-abs") < 0 && rule.number("max-rel-l2") < 0 &&
      rule.number("max-total-rel-l2") < 0 && rule.number("min-cosine") <= -1 && !rule.boolean("identical"))
    throw std::invalid_argument(
        "set at least one of max-abs, max-rel-l2, max-total-rel-l2, min-cosine, identical");
}

}  // namespace

const Check kTensorDelta{.name = "tensor-delta",
                         .help = "tensors that moved further from the base than allowed",
                         .needs = kBase | kDeltas,
                         .params = kParams,
                         .run = run,
                         .validate = validate,
                         .kinds = kKinds};

}  // namespace ckpt::lint
