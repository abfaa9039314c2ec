#include "training/scheduler_loading.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "training/types.h"
#include "value/access.h"

namespace ckpt::training {
namespace {

using value::Item;
using value::Kind;
using value::kNoNode;
using value::member;
using value::NodeId;
using value::Tree;
using namespace std::string_view_literals;

// Popped from the loaded state by the classes that have them: a state without them raises KeyError.
constexpr std::array kDemanded = {"lr_lambdas"sv, "_schedulers"sv, "_scale_fn_custom"sv};

// What every scheduler has, or some version of torch wrote for every scheduler.
constexpr std::array kCommon = {
    "base_lrs"sv, "last_epoch"sv,  "_step_count"sv,   "_last_lr"sv,    "_get_lr_called_within_step"sv,
    "verbose"sv,  "_is_initial"sv, "_initial_step"sv, "_schedulers"sv,
};

// Looked up in the optimizer's groups by each step; loading the optimizer replaced the groups.
struct GroupKey {
  std::string_view type, key;
};
constexpr GroupKey kGroupKeys[] = {{"OneCycleLR", "max_lr"}, {"SWALR", "swa_lr"}};

constexpr std::size_t kMostPairs = 4096;  // of schedulers inside each other

bool has(const Tree& tree, NodeId dict, std::string_view key) { return member(tree, dict, key) != kNoNode; }

bool is_common(std::string_view key) {
  return std::find(kCommon.begin(), kCommon.end(), key) != kCommon.end();
}

bool a_group_has(const SavedScheduler& other, std::string_view key) {
  for (const NodeId optimizer : value::sequence(other.tree, other.optimizer_states))
    for (const NodeId group : value::sequence(other.tree, member(other.tree, optimizer, "param_groups")))
      if (has(other.tree, group, key)) return true;
  return false;
}

// Fields of the base's own class: with `shared`, those that the other has too; else those that it lacks.
std::string own_fields(const Tree& tree, NodeId base, const Tree& other_tree, NodeId other, bool shared) {
  std::string out;
  for (const Item& item : value::mapping_items(tree, base)) {
    if (tree.kind(item.key) != Kind::kString) continue;
    const std::string_view name = tree.text(item.key);
    if (is_common(name) || has(other_tree, other, name) != shared) continue;
    out += (out.empty() ? "" : ", ") + std::string(name);
  }
  return out;
}

std::string describe_mixture(const Tree& a, NodeId base, const Tree& b, NodeId other) {
  std::string text =
      fmt::format("{} continues from the position of {}", scheduler_type(a, base), scheduler_type(b, other));
  if (const std::string kept = own_fields(a, base, b, other, false); !kept.empty())
    text += fmt::format(", keeps its own {}", kept);
  if (const std::string taken = own_fields(a, base, b, other, true); !taken.empty())
    text += fmt::format(", takes {} from the other", taken);
  return text;
}

using Pair = std::pair<NodeId, NodeId>;

std::optional<std::string> error_on_load(const Tree& a, const Tree& b, const Pair& pair) {
  for (const std::string_view field : kDemanded)
    if (has(a, pair.first, field) && !has(b, pair.second, field)) return fmt::format("KeyError: '{}'", field);
  const auto mine = value::sequence(a, member(a, pair.first, "_schedulers"));
  const auto theirs = value::sequence(b, member(b, pair.second, "_schedulers"));
  if (has(a, pair.first, "_schedulers") && theirs.size() > mine.size())
    return fmt::format("IndexError: list index out of range ({} schedulers for {})", theirs.size(),
                       mine.size());
  const auto mode = value::string_of(b, member(b, pair.second, "mode"));
  if (scheduler_type(a, pair.first) == "ReduceLROnPlateau" && mode && *mode != "min" && *mode != "max")
    return fmt::format("ValueError: mode {} is unknown!", one_line(*mode));
  return std::nullopt;
}

std::optional<std::string> error_in_step(const SavedScheduler& base, const SavedScheduler& other,
                                         NodeId state) {
  const std::string type = scheduler_type(base.tree, state);
  for (const GroupKey& needed : kGroupKeys)
    if (needed.type == type && !a_group_has(other, needed.key))
      return fmt::format("KeyError: '{}'", needed.key);
  return std::nullopt;
}

std::optional<std::string> wrong_after_load(const Tree& a, const Tree& b, const Pair& pair) {
  if (!may_be_same_type(scheduler_type(a, pair.first), scheduler_type(b, pair.second)))
    return describe_mixture(a, pair.first, b, pair.second);
  const auto mine = value::sequence(a, member(a, pair.first, "_schedulers"));
  const auto theirs = value::sequence(b, member(b, pair.second, "_schedulers"));
  if (theirs.size() < mine.size())
    return fmt::format("{} of its {} schedulers restart", mine.size() - theirs.size(), mine.size());
  if (has(a, pair.first, "last_epoch") && !has(b, pair.second, "last_epoch"))
    return "it restarts: the state has no last_epoch";
  return std::nullopt;
}

// Each scheduler of `base` with the one of `other` that it loads; the schedulers inside them follow.
std::vector<Pair> loaded_pairs(const SavedScheduler& base, const SavedScheduler& other) {
  std::vector<Pair> out = {{base.state, other.state}};
  for (std::size_t i = 0; i < out.size() && out.size() < kMostPairs; ++i) {
    const auto mine = value::sequence(base.tree, member(base.tree, out[i].first, "_schedulers"));
    const auto theirs = value::sequence(other.tree, member(other.tree, out[i].second, "_schedulers"));
    for (std::size_t k = 0; k < std::min(mine.size(), theirs.size()); ++k)
      out.emplace_back(mine[k], theirs[k]);
  }
  return out;
}

}  // namespace

SchedulerLoading load_scheduler(const SavedScheduler& base, const SavedScheduler& other) {
  const std::vector<Pair> pairs = loaded_pairs(base, other);
  for (const Pair& pair : pairs)
    if (auto error = error_on_load(base.tree, other.tree, pair)) return {LoadingOutcome::kRaises, *error};
  for (const Pair& pair : pairs)
    if (auto error = error_in_step(base, other, pair.first)) return {LoadingOutcome::kRaisesLater, *error};
  for (const Pair& pair : pairs)
    if (auto wrong = wrong_after_load(base.tree, other.tree, pair)) return {LoadingOutcome::kWrong, *wrong};
  return {};
}

}  // namespace ckpt::training
