// A scheduler that remembers another learning rate than the optimizer has.
#include <cmath>
#include <map>
#include <set>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"rtol", ParamType::kNumber, "1.0e-6", "relative difference that is still the same learning rate"},
};
constexpr std::string_view kFields[] = {"last", "lr", "where"};

using Numbers = std::vector<double>;

// Empty where one is no plain finite number (a tensor lr): nothing to compare, or another rule's finding.
Numbers finite_numbers(const Tree& tree, std::span<const NodeId> nodes) {
  Numbers result;
  for (const NodeId node : nodes) {
    const auto number = number_of(tree, node);
    if (!number || !std::isfinite(*number)) return {};
    result.push_back(*number);
  }
  return result;
}

Numbers group_lrs(const Tree& tree, NodeId optimizer) {
  std::vector<NodeId> nodes;
  for (const NodeId group : sequence(tree, member(tree, optimizer, "param_groups")))
    nodes.push_back(member(tree, group, "lr"));
  return finite_numbers(tree, nodes);
}

std::optional<std::size_t> first_difference(const Numbers& a, const Numbers& b, double rtol) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    if (std::abs(a[i] - b[i]) > rtol * std::max(std::abs(a[i]), std::abs(b[i]))) return i;
  return std::nullopt;
}

struct Pair {
  std::size_t scheduler = 0, optimizer = 0;
  Numbers last, lrs;
};

// The only optimizer with so many groups, or kSeveral. An index: a hostile file lists one optimizer a million
// times.
constexpr std::size_t kSeveral = ~std::size_t{0};
std::map<std::size_t, std::size_t> optimizers_by_groups(const Tree& tree,
                                                        std::span<const NodeId> optimizers) {
  std::map<std::size_t, std::size_t> by_groups;
  for (std::size_t i = 0; i < optimizers.size(); ++i) {
    const auto groups = sequence(tree, member(tree, optimizers[i], "param_groups")).size();
    const auto [place, is_new] = by_groups.emplace(groups, i);
    if (!is_new) place->second = kSeveral;
  }
  return by_groups;
}

// T9: no _last_lr, or schedulers inside. T28: nothing in the file links a scheduler to its optimizer, so only
// a group count that one optimizer alone has makes a pair.
std::vector<Pair> pairs_of(const Tree& tree, const lightning::Items& items) {
  std::vector<Pair> pairs;
  const auto schedulers = sequence(tree, items.lr_schedulers);
  const auto optimizers = sequence(tree, items.optimizer_states);
  const auto by_groups = optimizers_by_groups(tree, optimizers);
  for (std::size_t s = 0; s < schedulers.size(); ++s) {
    const auto last = sequence(tree, member(tree, schedulers[s], "_last_lr"));
    if (last.empty() || member(tree, schedulers[s], "_schedulers") != kNoNode) continue;
    const auto match = by_groups.find(last.size());
    if (match == by_groups.end() || match->second == kSeveral) continue;
    Pair pair{s, match->second, finite_numbers(tree, last), group_lrs(tree, optimizers[match->second])};
    if (!pair.last.empty() && !pair.lrs.empty()) pairs.push_back(std::move(pair));
  }
  return pairs;
}

Hit drift_hit(const Pair& pair, std::size_t group) {
  const auto lr_path = key_path(
      index_path(key_path(index_path("optimizer_states", pair.optimizer), "param_groups"), group), "lr");
  Hit hit = make_hit(key_path(index_path("lr_schedulers", pair.scheduler), "_last_lr"), "lr-drift",
                     report::PlaceKind::kArray);
  hit.fields = {
      {"last", format_double(pair.last[group])}, {"lr", format_double(pair.lrs[group])}, {"where", lr_path}};
  hit.properties = {{"lastLr", pair.last[group]}, {"lr", pair.lrs[group]}, {"group", std::uint64_t{group}}};
  return hit;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  if (context.items().kind != lightning::FileKind::kTrainer) return;
  const double rtol = rule.number("rtol");
  const auto pairs = pairs_of(context.file().tree, context.items());
  // Two schedulers on one optimizer: the one that stepped last wins, the other is behind by nature.
  std::set<std::size_t> explained;
  for (const auto& pair : pairs)
    if (!first_difference(pair.last, pair.lrs, rtol)) explained.insert(pair.optimizer);
  for (const auto& pair : pairs)
    if (const auto group = first_difference(pair.last, pair.lrs, rtol);
        group && !explained.contains(pair.optimizer))
      emit(drift_hit(pair, *group));
}

}  // namespace

const Check kSchedulerLr{.name = "scheduler-lr",
                         .help = "schedulers whose last learning rate is not the optimizer's",
                         .needs = kNothing,
                         .params = kParams,
                         .fields = kFields,
                         .run = run};

}  // namespace ckpt::lint
