// A scheduler that remembers another learning rate than the optimizer has.
#include <cmath>

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
  for (const NodeId group : sequence(tree, member(tree, optimizer, "param_groups"))) nodes.push_back(member(tree, group, "lr"));
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

// T9: no _last_lr, or schedulers inside. T28: nothing in the file links a scheduler to its optimizer, so only
// a group count that one optimizer alone has makes a pair.
std::vector<Pair> pairs_of(const Tree& tree, const lightning::Items& items) {
  std::vector<Pair> pairs;
  const auto schedulers = sequence(tree, items.lr_schedulers);
  const auto optimizers = sequence(tree, items.optimizer_states);
  for (std::size_t s = 0; s < schedulers.size(); ++s) {
    const NodeId last = member(tree, schedulers[s], "_last_lr");
    if (sequence(tree, last).empty() || member(tree, schedulers[s], "_schedulers") != kNoNode) continue;
    std::size_t matches = 0, match = 0;
    for (std::size_t o = 0; o < optimizers.size(); ++o)
      if (sequence(tree, member(tree, optimizers[o], "param_groups")).size() == sequence(tree, last).size()) {
        ++matches;
        match = o;
      }
    if (matches != 1) continue;
    Pair pair{s, match, finite_numbers(tree, sequence(tree, last)), group_lrs(tree, optimizers[match])};
    if (!pair.last.empty() && !pair.lrs.empty()) pairs.push_back(std::move(pair));
  }
  return pairs;
}

Hit drift_hit(const Pair& pair, std::size_t group) {
  const auto lr_path = key_path(
      index_path(key_path(index_path("optimizer_states", pair.optimizer), "param_groups"), group), "lr");
  Hit hit = make_hit(key_path(index_path("lr_schedulers", pair.scheduler), "_last_lr"), "lr-drift", report::PlaceKind::kArray);
  hit.fields = {{"last", format_double(pair.last[group])}, {"lr", format_double(pair.lrs[group])}, {"where", lr_path}};
  hit.properties = {{"lastLr", pair.last[group]}, {"lr", pair.lrs[group]}, {"group", std::uint64_t{group}}};
  return hit;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  if (context.items().kind != lightning::FileKind::kTrainer) return;
  const double rtol = rule.number("rtol");
  const auto pairs = pairs_of(context.file().tree, context.items());
  for (const auto& pair : pairs) {
    const auto group = first_difference(pair.last, pair.lrs, rtol);
    if (!group) continue;
    // Two schedulers on one optimizer: the one that stepped last wins, the other is behind by nature.
    bool explained = false;
    for (const auto& other : pairs)
      explained = explained || (other.optimizer == pair.optimizer && !first_difference(other.last, other.lrs, rtol));
    if (!explained) emit(drift_hit(pair, *group));
  }
}

}  // namespace

const Check kSchedulerLr{.name = "scheduler-lr",
                         .help = "schedulers whose last learning rate is not the optimizer's",
                         .needs = kNothing,
                         .params = kParams,
                         .fields = kFields,
                         .run = run};

}  // namespace ckpt::lint
