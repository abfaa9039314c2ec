// How a plain value must differ from the base's: a step that grew, a setting that stayed. The value's
// counterpart is the one at the same path.
#include <set>
#include <stdexcept>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChanges[] = {"increased",     "not-decreased", "decreased",
                                         "not-increased", "equal",         "different"};
constexpr ParamSpec kParams[] = {
    {"change", ParamType::kString, "", "how the value must differ from the base's", kChanges},
};
constexpr std::string_view kFields[] = {"text"};

using ByPath = std::map<std::string, NodeId>;

struct Side {
  const Tree& tree;
  ByPath values;
};

// Values that the rule selects: leaves of the tree, tensors aside.
Side select(const Opened& opened, const Rule& rule) {
  Side side{opened.file->tree, {}};
  for (auto& value : values_below(side.tree, side.tree.root(), "")) {
    if (value.container || side.tree.kind(value.id) == Kind::kTensor ||
        side.tree.kind(value.id) == Kind::kStorage)
      continue;
    if (any_match(rule.select.paths, value.path) && !any_match(rule.select.ignore, value.path))
      side.values.emplace(std::move(value.path), value.id);
  }
  return side;
}

bool ordered(std::string_view change, double before, double now) {
  if (change == "increased") return now > before;
  if (change == "not-decreased") return now >= before;
  return change == "decreased" ? now < before : now <= before;
}

// What is wrong with the pair, or "". A NaN is in no order to anything.
std::string violation(std::string_view change, const Side& old, NodeId before, const Side& now,
                      NodeId after) {
  const std::string both = show(old.tree, before) + " in the base, now " + show(now.tree, after);
  const std::string must = ", must be " + std::string(change);
  if (change == "equal" || change == "different")
    return same_scalar(now.tree, after, old.tree, before) == (change == "equal") ? "" : both + must;
  const auto a = number_of(old.tree, before), b = number_of(now.tree, after);
  if (!a || !b) return both + ": not two numbers";
  return ordered(change, *a, *b) ? "" : both + must;
}

// A pattern that selects nothing would pass everything.
void report_patterns(const Rule& rule, const Side& now, const Side& old, const Emit& emit) {
  for (const Glob& glob : rule.select.paths) {
    bool found = false;
    for (const Side* side : {&now, &old})
      for (const auto& [path, id] : side->values) found = found || glob.matches(path);
    if (!found)
      emit(text_hit(glob.pattern(), "nothing-selected",
                    "no value here, neither in this file nor in the base"));
  }
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Side now = select(context.input, rule), old = select(*context.base, rule);
  const std::string& change = rule.string("change");
  for (const auto& [path, id] : now.values) {
    const auto before = old.values.find(path);
    const std::string text = before == old.values.end() ? show(now.tree, id) + ", not in the base"
                                                        : violation(change, old, before->second, now, id);
    if (text.empty()) continue;
    Hit hit = text_hit(path, before == old.values.end() ? "added" : "not-" + change, text);
    if (before != old.values.end()) hit.base_path = path;
    emit(std::move(hit));
  }
  for (const auto& [path, id] : old.values) {
    if (now.values.contains(path)) continue;
    Hit hit = text_hit(path, "removed", show(old.tree, id) + " in the base, absent now");
    hit.base_path = path;
    emit(std::move(hit));
  }
  report_patterns(rule, now, old, emit);
}

void validate(const Rule& rule) {
  if (rule.on && rule.select.paths.empty())
    throw std::invalid_argument("selects no values: say which, as in select: {paths: global_step}");
  if (!rule.select.tensors.empty())
    throw std::invalid_argument(
        "looks at values, not at tensors: use select.paths, or the check tensor-delta");
}

}  // namespace

const Check kValueDelta{.name = "value-delta",
                        .help = "values that do not differ from the base as they should",
                        .needs = kBase,
                        .params = kParams,
                        .fields = kFields,
                        .run = run,
                        .validate = validate};

}  // namespace ckpt::lint
