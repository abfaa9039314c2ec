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
constexpr std::string_view kFields[] = {"text", "name"};

struct Limits {
  double max_abs, max_rel_l2, max_total_rel_l2, min_cosine;
  bool identical;
};

// Written so that a NaN on either side of a comparison is a violation, not a pass.
std::string violation(const tensor::Delta& delta, const Limits& limits) {
  const std::string changed =
      std::to_string(delta.changed) + " of " + plural(delta.numel, "element") + " changed";
  if (limits.identical && !delta.same_bytes)
    return delta.changed > 0 ? changed : "other bytes or another dtype";
  const bool limited =
      limits.max_abs >= 0 || limits.max_rel_l2 >= 0 || limits.max_total_rel_l2 >= 0 || limits.min_cosine > -1;
  if (!delta.decoded)
    return limited && delta.differing > 0 ? std::to_string(delta.differing) + " elements differ" : "";
  if (limited && delta.nan_old != delta.nan_new)
    return std::to_string(delta.nan_new) + " NaN, " + std::to_string(delta.nan_old) + " in the base";
  if (limits.max_abs >= 0 && !(delta.max_abs <= limits.max_abs))
    return changed + ", by up to " + format_short(delta.max_abs) + " (limit " +
           format_double(limits.max_abs) + ")";
  if (limits.max_rel_l2 >= 0 && !(delta.rel_l2 <= limits.max_rel_l2))
    return "relative L2 " + format_short(delta.rel_l2) + " (limit " + format_double(limits.max_rel_l2) + ")";
  if (limits.min_cosine > -1 && !(delta.cosine >= limits.min_cosine))
    return "cosine " + format_double(delta.cosine) + " (at least " + format_double(limits.min_cosine) + ")";
  return "";
}

Hit delta_hit(const std::string& path, const std::string& name, std::string_view kind, std::string text) {
  Hit hit = text_hit(path, kind, std::move(text), report::PlaceKind::kTensor);
  hit.fields.push_back({"name", name});
  return hit;
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
                      "relative L2 " + format_short(total.rel_l2()) + " over " +
                          plural(total.tensors, "tensor") + " (limit " + format_double(limit) + ")");
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
std::string why_not_compared(const Tensors& base, const std::string& name, const TensorRecord& record) {
  const auto old = base.by_name.find(name);
  if (old == base.by_name.end()) return "not in the base, so it cannot be compared";
  if (old->second->view.shape != record.view.shape)
    return format_shape(old->second->view.shape) + " in the base, now " + format_shape(record.view.shape);
  return "cannot be compared with the base: its elements cannot be read";
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
    Hit hit = delta_hit(entry.path, name, "removed", "in the base, but not in this file");
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
        emit(delta_hit(
            "", glob.pattern(), "nothing-selected",
            "no tensor is called " + quote(glob.pattern()) + ", neither in this file nor in the base"));
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
    const auto text =
        compared ? violation(*delta, limits) : why_not_compared(base, name, context.file().record_of(entry));
    if (text.empty()) continue;
    Hit hit = delta_hit(entry.path, name, compared ? "delta" : "not-compared", text);
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
                         .fields = kFields,
                         .run = run,
                         .validate = validate};

}  // namespace ckpt::lint
