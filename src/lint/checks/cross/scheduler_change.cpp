// A learning rate schedule that is not the one of the base.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"text"};
constexpr std::size_t kMost = 64;        // schedulers, and schedulers within one
constexpr std::size_t kElements = 1000;  // of one setting

// What a scheduler is set up with (torch/optim/lr_scheduler.py). Everything else in its state is progress, or
// came and went with versions of torch. `total_steps` and the like also tell the classes apart.
constexpr std::string_view kSettings[] = {
    "step_size",  "milestones",  "_milestones", "gamma",        "total_iters", "start_factor",
    "end_factor", "factor",      "power",       "T_max",        "T_0",         "T_mult",
    "eta_min",    "total_steps", "total_size",  "max_lrs",      "patience",    "cooldown",
    "min_lrs",    "threshold",   "lr_lambdas",  keys::kBaseLrs, "mode"};

// A state and those within it (SequentialLR, ChainedScheduler), each with its path.
std::vector<std::pair<std::string, NodeId>> states_of(const Tree& tree, NodeId scheduler,
                                                      const std::string& path) {
  std::vector<std::pair<std::string, NodeId>> states = {{path, scheduler}};
  for (std::size_t i = 0; i < states.size() && states.size() < kMost; ++i) {
    const std::string inner_path = key_path(states[i].first, keys::kInnerSchedulers);
    const auto inner = sequence(tree, member(tree, states[i].second, keys::kInnerSchedulers));
    for (std::size_t k = 0; k < inner.size() && states.size() < kMost; ++k)
      states.emplace_back(index_path(inner_path, k), inner[k]);
  }
  return states;
}

std::set<std::string_view> settings_of(const Tree& tree, NodeId state) {
  std::set<std::string_view> found;
  for (const auto key : kSettings)
    if (member(tree, state, key) != kNoNode) found.insert(key);
  return found;
}

std::string list(const std::set<std::string_view>& names) {
  std::string text;
  for (const auto name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text.empty() ? "no settings" : text;
}

bool is_compound(const Tree& tree, NodeId id) {
  return is_sequence(tree, id) || is_mapping(tree, id) || tree.kind(id) == Kind::kObject;
}

bool same_part(const Tree& now, NodeId a, const Tree& old, NodeId b) {
  return is_compound(now, a) || is_compound(old, b) || same_scalar(now, a, old, b);
}

// A number or text, or a flat list or dict of them (milestones, base_lrs). What is nested deeper or is a
// function (lr_lambdas) says nothing; nor does what comes after the first elements, which no scheduler has.
bool same_setting(const Tree& now, NodeId a, const Tree& old, NodeId b) {
  const auto xs = sequence(now, a), ys = sequence(old, b);
  const auto is = mapping_items(now, a), js = mapping_items(old, b);
  if (xs.size() != ys.size() || is.size() != js.size()) return false;
  for (std::size_t i = 0; i < xs.size() && i < kElements; ++i)
    if (!same_part(now, xs[i], old, ys[i])) return false;
  for (std::size_t i = 0; i < is.size() && i < kElements; ++i)
    if (!same_part(now, is[i].key, old, js[i].key) || !same_part(now, is[i].value, old, js[i].value))
      return false;
  return !xs.empty() || !is.empty() || same_part(now, a, old, b);
}

// "[0.1, 0.01]", "{30: 1, 80: 1}"; only counted where it is longer.
std::string show_setting(const Tree& tree, NodeId id) {
  constexpr std::size_t kShown = 4;
  const auto elements = sequence(tree, id);
  const auto items = mapping_items(tree, id);
  if (elements.size() + items.size() == 0 || elements.size() + items.size() > kShown) return show(tree, id);
  std::string text;
  for (const NodeId element : elements) text += (text.empty() ? "" : ", ") + show(tree, element);
  for (const auto& item : items)
    text += (text.empty() ? "" : ", ") + show(tree, item.key) + ": " + show(tree, item.value);
  return items.empty() ? "[" + text + "]" : "{" + text + "}";
}

struct Comparison {
  const Tree& now;
  const Tree& old;
  const Emit& emit;

  void say(const std::string& path, std::string_view kind, std::string text) const {
    Hit hit = text_hit(path, kind, std::move(text));
    hit.base_path = path;
    emit(std::move(hit));
  }

  // Stochastic weight averaging puts SWALR in the place of the scheduler when its time has come.
  bool is_swa(NodeId a, NodeId b) const {
    return member(now, a, "swa_lrs") != kNoNode || member(old, b, "swa_lrs") != kNoNode ||
           member(now, a, "anneal_epochs") != kNoNode || member(old, b, "anneal_epochs") != kNoNode;
  }

  void scheduler(NodeId a, NodeId b, const std::string& path) const {
    if (is_swa(a, b)) return;
    const auto states = states_of(now, a, path), old_states = states_of(old, b, path);
    for (std::size_t i = 0; i < states.size() && i < old_states.size(); ++i)
      if (!state(states[i].second, old_states[i].second, states[i].first)) return;
    if (states.size() != old_states.size())
      say(path, "type",
          plural(states.size() - 1, "scheduler") + " within it, " + std::to_string(old_states.size() - 1) +
              " in the base");
  }

  // False if the two are not even of one kind: their parts are then no matter.
  bool state(NodeId a, NodeId b, const std::string& path) const {
    const auto settings = settings_of(now, a), old_settings = settings_of(old, b);
    if (settings != old_settings) {
      say(path, "type",
          "another scheduler: it has " + list(settings) + ", that of the base " + list(old_settings));
      return false;
    }
    for (const auto key : settings) {
      const NodeId x = member(now, a, key), y = member(old, b, key);
      if (!same_setting(now, x, old, y))
        say(key_path(path, key), "setting",
            show_setting(now, x) + ", " + show_setting(old, y) + " in the base");
    }
    return true;
  }
};

void run(const Context& context, const Rule&, const Emit& emit) {
  const Comparison comparison{context.file().tree, context.base->file->tree, emit};
  const auto now = sequence(comparison.now, context.items().lr_schedulers);
  const auto old = sequence(comparison.old, context.base->items.lr_schedulers);
  if (now.empty() || old.empty()) return;  // scheduler-state-missing is the rule for it
  if (now.size() != old.size())
    return comparison.say(
        keys::kLrSchedulers, "count",
        plural(now.size(), "scheduler") + ", " + std::to_string(old.size()) + " in the base");
  for (std::size_t i = 0; i < now.size() && i < kMost; ++i)
    comparison.scheduler(now[i], old[i], index_path(keys::kLrSchedulers, i));
}

}  // namespace

const Check kSchedulerChange{
    .name = "scheduler-change",
    .help = "learning rate schedulers of another kind or with other settings than in the base",
    .needs = kBase,
    .params = {},
    .fields = kFields,
    .run = run};

}  // namespace ckpt::lint
