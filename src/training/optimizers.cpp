#include "training/optimizers.h"

#include "training/budget.h"
#include "training/keys.h"
#include "training/scalar.h"
#include "training/types.h"
#include "value/access.h"
#include "value/path.h"

namespace ckpt::training {
namespace {

using value::mapping_items;
using value::member;
using value::sequence;
using value::Tree;

// What one walk over an optimizer visits, its groups and states with their fields.
bool take_visits(const Tree& tree, const Optimizer& optimizer, Budget& budget) {
  for (const auto& item : mapping_items(tree, optimizer.state))
    if (!budget.take(1 + mapping_items(tree, item.value).size())) return false;
  for (const NodeId group : sequence(tree, optimizer.groups_node)) {
    if (!budget.take(1 + mapping_items(tree, group).size())) return false;
    if (!budget.take(sequence(tree, member(tree, group, keys::kParams)).size())) return false;
  }
  return true;
}

void read_groups(const Tree& tree, Optimizer& optimizer) {
  for (const NodeId node : sequence(tree, optimizer.groups_node)) {
    ParamGroup& group = optimizer.groups.emplace_back();
    group.node = node;
    group.params = member(tree, node, keys::kParams);
    group.names = member(tree, node, keys::kParamNames);
    group.ids = sequence(tree, group.params);
    optimizer.parameters += group.ids.size();
  }
}

}  // namespace

std::string Optimizer::groups_path() const { return value::key_path(path, keys::kParamGroups); }

std::string Optimizer::group_path(std::size_t group) const { return value::index_path(groups_path(), group); }

std::string Optimizer::states_path() const { return value::key_path(path, keys::kState); }

std::string Optimizer::state_path(const Tree& tree, NodeId id) const {
  std::string result = states_path();
  value::append_key(result, tree, id);
  return result;
}

std::vector<Optimizer> read_optimizers(const Tree& tree, NodeId optimizer_states) {
  std::vector<Optimizer> optimizers;
  Budget budget;
  const auto nodes = sequence(tree, optimizer_states);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!budget.take(Budget::kStruct + mapping_items(tree, nodes[i]).size())) break;
    Optimizer optimizer;
    optimizer.path = value::index_path(keys::kOptimizerStates, i);
    optimizer.node = nodes[i];
    optimizer.state = member(tree, nodes[i], keys::kState);
    optimizer.groups_node = member(tree, nodes[i], keys::kParamGroups);
    if (!take_visits(tree, optimizer, budget)) break;
    optimizer.states = mapping_items(tree, optimizer.state).size();
    optimizer.type = optimizer_type(tree, nodes[i]);
    read_groups(tree, optimizer);
    optimizers.push_back(std::move(optimizer));
  }
  return optimizers;
}

std::optional<double> first_step(const Checkpoint& file, const Optimizer& optimizer) {
  const auto states = mapping_items(file.tree, optimizer.state);
  if (states.empty()) return std::nullopt;
  return scalar_value(file, member(file.tree, states[0].value, keys::kStep));
}

std::string id_text(const Tree& tree, NodeId id) {
  constexpr std::size_t kWhole = 1 << 16;  // names of FSDP files are long, and two must not look the same
  return value::repr(tree, id, kWhole);
}

std::map<std::string, std::size_t> groups_by_id(const Tree& tree, const Optimizer& optimizer) {
  std::map<std::string, std::size_t> groups;
  for (std::size_t g = 0; g < optimizer.groups.size(); ++g)
    for (const NodeId id : optimizer.groups[g].ids) groups.emplace(id_text(tree, id), g);
  return groups;
}

bool is_set(const Tree& tree, NodeId group, std::string_view key) {
  const NodeId node = member(tree, group, key);
  return node != kNoNode && !value::is_kind(tree, node, value::Kind::kNone) &&
         value::number_of(tree, node) != 0.0;
}

}  // namespace ckpt::training
