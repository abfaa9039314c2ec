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

std::vector<Optimizer> read_optimizers(const Tree& tree, const Items& items) {
  std::vector<Optimizer> optimizers;
  Budget budget;
  for (auto& [path, node] :
       places_of(tree, items, Form::kOptimizer, items.optimizer_states, keys::kOptimizerStates)) {
    if (!budget.take(Budget::kStruct + mapping_items(tree, node).size())) break;
    Optimizer optimizer;
    optimizer.path = std::move(path);
    optimizer.node = node;
    optimizer.state = member(tree, node, keys::kState);
    optimizer.groups_node = member(tree, node, keys::kParamGroups);
    if (!take_visits(tree, optimizer, budget)) break;
    optimizer.states = mapping_items(tree, optimizer.state).size();
    optimizer.type = optimizer_type(tree, node);
    read_groups(tree, optimizer);
    optimizers.push_back(std::move(optimizer));
  }
  return optimizers;
}

const tensor::TensorView* first_moment(const Checkpoint& file, NodeId state) {
  // torch/optim/*.py, _init_group
  constexpr std::string_view kMoments[] = {
      "exp_avg", "momentum_buffer", "square_avg", "sum", "exp_avg_sq", "acc_delta", "ax", "prev", "exp_inf"};
  for (const std::string_view key : kMoments)
    if (const NodeId node = member(file.tree, state, key);
        value::is_kind(file.tree, node, value::Kind::kTensor))
      return &file.tensor_records[file.tree.payload(node)].view;
  return nullptr;
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
