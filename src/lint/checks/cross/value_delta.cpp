// How a plain value must differ from the base: a step that grew, a setting that stayed.
#include <map>
#include <stdexcept>

#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChanges[] = {"increased",     "not-decreased", "decreased",
                                         "not-increased", "equal",         "different"};
constexpr ParamSpec kParams[] = {
    {"change", ParamType::kString, "", "how the value must differ from the base's", kChanges},
};
constexpr KindSpec kKinds[] = {
    {"violated", "base now change"}, {"not-a-number", "base now"}, {"added", "now"}, {"removed", "base"},
    {"nothing-selected", "pattern"},
};

using Places = std::map<std::string_view, const diff::Place*>;

// Values that the rule selects, by the path that both files have them at.
Places select(const diff::Side& side, const Rule& rule) {
  Places places;
  for (const diff::Place& place : side.places) {
    if (place.slot.kind != diff::SlotKind::kLeaf || place.key.space != diff::Space::kPath) continue;
    if (any_match(rule.select.paths, place.path) && !any_match(rule.select.ignore, place.path))
      places.emplace(place.key.text, &place);
  }
  return places;
}

bool ordered(std::string_view change, double before, double now) {
  if (change == "increased") return now > before;
  if (change == "not-decreased") return now >= before;
  return change == "decreased" ? now < before : now <= before;
}

class Comparison {
 public:
  Comparison(const Context& context, const Rule& rule, const Emit& emit)
      : base_(context.diff->sides[0]), now_(context.diff->sides[1]), rule_(rule), emit_(emit) {}

  void run() const {
    const Places old = select(base_, rule_), now = select(now_, rule_);
    for (const auto& [key, place] : now) {
      const auto before = old.find(key);
      if (before == old.end())
        say(*place, "added", nullptr, place);
      else
        compare(*before->second, *place);
    }
    for (const auto& [key, place] : old)
      if (!now.contains(key)) say(*place, "removed", place, nullptr);
    report_patterns(now, old);
  }

 private:
  // A NaN is in no order to anything.
  void compare(const diff::Place& old, const diff::Place& now) const {
    const std::string& change = rule_.string("change");
    const Tree& a = base_.tree(old.slot);
    const Tree& b = now_.tree(now.slot);
    const Leaf& x = base_.leaf(old.slot);
    const Leaf& y = now_.leaf(now.slot);
    if (change == "equal" || change == "different") {
      if (diff::equal_leaves(a, x, b, y, {}) != (change == "equal")) say(now, "violated", &old, &now);
      return;
    }
    const auto before = number_of(a, x.node), after = number_of(b, y.node);
    if (!before || !after) return say(now, "not-a-number", &old, &now);
    if (!ordered(change, *before, *after)) say(now, "violated", &old, &now);
  }

  void say(const diff::Place& where, std::string_view kind, const diff::Place* old,
           const diff::Place* now) const {
    Hit hit = make_hit(std::string(where.path), kind);
    if (old != nullptr) hit.base_path = old->path;
    hit.fields = {{"base", show_slot(base_, old != nullptr ? old->slot : diff::Slot{})},
                  {"now", show_slot(now_, now != nullptr ? now->slot : diff::Slot{})},
                  {"change", rule_.string("change")}};
    emit_(std::move(hit));
  }

  // A pattern that selects nothing would pass everything.
  void report_patterns(const Places& now, const Places& old) const {
    for (const Glob& glob : rule_.select.paths) {
      bool found = false;
      for (const Places* places : {&now, &old})
        for (const auto& [key, place] : *places) found = found || glob.matches(place->path);
      if (found) continue;
      Hit hit = make_hit(glob.pattern(), "nothing-selected");
      hit.fields = {{"pattern", glob.pattern()}};
      emit_(std::move(hit));
    }
  }

  const diff::Side& base_;
  const diff::Side& now_;
  const Rule& rule_;
  const Emit& emit_;
};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  Comparison(context, rule, emit).run();
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
                        .needs = kDiff,
                        .params = kParams,
                        .run = run,
                        .validate = validate,
                        .kinds = kKinds};

}  // namespace ckpt::lint
