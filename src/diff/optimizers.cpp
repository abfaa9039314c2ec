#include "diff/optimizers.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "diff/assignment.h"
#include "tensor/stats.h"
#include "training/keys.h"
#include "training/weights.h"
#include "value/access.h"
#include "value/path.h"

namespace ckpt::diff {
namespace {

namespace keys = training::keys;
using value::Item;
using value::Kind;
using value::kNoNode;
using value::NodeId;
using value::Tree;

bool is(const Tree& tree, NodeId node, Kind kind) { return node != kNoNode && tree.kind(node) == kind; }

// --- the weights that an optimizer may have ------------------------------------------------------------

// Buffers that torch's own modules keep (nn/modules/batchnorm.py); integer ones are
// recognised by their dtype.
bool is_known_buffer(std::string_view name) {
  constexpr std::array<std::string_view, 3> kBuffers = {"running_mean", "running_var", "num_batches_tracked"};
  const std::string_view last = name.substr(name.rfind('.') == name.npos ? 0 : name.rfind('.') + 1);
  return std::find(kBuffers.begin(), kBuffers.end(), last) != kBuffers.end();
}

bool is_of(const Side& side, const Place& place, std::span<const std::size_t> models) {
  const auto& all = side.items().state_dicts;
  if (models.size() == all.size()) return true;
  const training::StateDict* model = training::state_dict_of(side.items(), place.path);
  return model != nullptr && std::find(models.begin(), models.end(),
                                       static_cast<std::size_t>(model - all.data())) != models.end();
}

// In the order of the state_dicts; a tied weight counts once (Module.parameters() does so).
std::vector<Weight> candidate_weights(const Side& side, std::span<const std::size_t> models,
                                      const Names& still) {
  std::vector<Weight> out;
  std::set<std::tuple<std::uint32_t, std::uint64_t, Shape>> seen;
  const bool averaged = side.items().current_model_state != kNoNode;
  for (const Place& place : side.places) {
    if (place.key.space != (averaged ? Space::kCurrentWeight : Space::kWeight) ||
        place.slot.kind != SlotKind::kTensor || !is_of(side, place, models))
      continue;
    const tensor::TensorView& view = side.record(place.slot).view;
    if (!tensor::is_floating(view.dtype) || is_known_buffer(place.name) ||
        side.file().entries[place.slot.index].part)
      continue;
    if (view.has_storage() && !seen.insert({view.storage, view.storage_offset, view.shape}).second) continue;
    out.push_back({place.key.text, training::own_name(side.items(), place.path, place.name), &view.shape,
                   still.contains(place.key.text)});
  }
  return out;
}

// --- ids and what is known about them ---------------------------------------------------------------------

// State of the weight's own shape, for the optimizers of torch.optim; LBFGS keeps one
// flat state and is not here.
const TensorRecord* state_tensor(const Side& side, NodeId state) {
  const Tree& tree = side.file().tree;
  if (!is(tree, state, Kind::kDict)) return nullptr;
  for (const std::string_view field :
       {"exp_avg", "momentum_buffer", "square_avg", "exp_inf", "sum", "acc_delta", "prev", "ax"}) {
    const NodeId node = tree.get(state, field);
    if (is(tree, node, Kind::kTensor)) return &side.file().tensor_records[tree.payload(node)];
  }
  return nullptr;
}

// Has had a gradient, so the steps since moved its weight.
bool has_moments(const Side& side, const TensorRecord& record) {
  const tensor::Storage* storage = readable_storage(side.file(), record);
  if (storage == nullptr) return false;
  const tensor::Stats stats = tensor::compute_stats(record.view, *storage);
  return stats.decoded && stats.zeros < stats.numel;
}

struct Group {
  std::vector<Param> params;
  std::vector<ParamState> states;  // of each
  NodeId names = kNoNode;          // param_names
};

// nullopt where the optimizer's state does not look like torch's.
std::optional<std::vector<Group>> read_groups(const Side& side, const training::Optimizer& optimizer,
                                              bool look_at_moments) {
  const Tree& tree = side.file().tree;
  if (!is(tree, optimizer.groups_node, Kind::kList)) return std::nullopt;
  std::unordered_map<std::string, NodeId> states;
  for (const Item& item : value::mapping_items(tree, optimizer.state))
    states.emplace(id_in_path(tree, item.key), item.value);
  std::vector<Group> out;
  for (const training::ParamGroup& group : optimizer.groups) {
    if (!is(tree, group.params, Kind::kList)) return std::nullopt;
    Group& g = out.emplace_back();
    g.names = group.names;
    const bool learns = value::number_of(tree, value::member(tree, group.node, keys::kLr)).value_or(0) != 0;
    for (const NodeId id : group.ids) {
      Param& param = g.params.emplace_back();
      param.id = id_in_path(tree, id);
      ParamState& state = g.states.emplace_back();
      if (const auto found = states.find(param.id); found != states.end()) state.node = found->second;
      const TensorRecord* record = state_tensor(side, state.node);
      if (record == nullptr) continue;
      param.shape = state.shape = &record->view.shape;
      param.trained = look_at_moments && learns && has_moments(side, *record);
    }
  }
  return out;
}

// --- one file ------------------------------------------------------------------------------------------

// A BaseFinetuning keeps copies of the groups of each optimizer, with names for `params`; from these it
// rebuilds the groups when it resumes.
void take_callback_names(const Side& side, std::int64_t optimizer, std::vector<Group>& groups) {
  const Tree& tree = side.file().tree;
  for (const training::Callback& callback : side.input->training.callbacks)
    for (const Item& item :
         value::mapping_items(tree, value::member(tree, callback.state, keys::kOptimizerMetadata))) {
      const auto copies = value::sequence(tree, item.value);
      if (value::integer_of(tree, item.key) != optimizer || copies.size() != groups.size()) continue;
      for (std::size_t g = 0; g < groups.size(); ++g)
        groups[g].names = value::member(tree, copies[g], keys::kParams);
    }
}

bool take_param_names(const Side& side, const std::vector<Group>& groups, OptimizerParams& out,
                      const std::unordered_map<std::string_view, std::string_view>& keys) {
  const Tree& tree = side.file().tree;
  std::set<std::string_view> seen;  // if two parameters had one name, one state would be hidden
  for (const Group& group : groups) {
    if (!is(tree, group.names, Kind::kList)) return false;
    const auto names = tree.elements(group.names);
    if (names.size() != group.params.size()) return false;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!is(tree, names[i], Kind::kString) || !seen.insert(tree.text(names[i])).second) return false;
      const auto found = keys.find(tree.text(names[i]));
      out.names[group.params[i].id] = found != keys.end() ? found->second : tree.text(names[i]);
    }
  }
  out.named_by = NamedBy::kParamNames;
  return true;
}

bool take_string_ids(Side& side, const std::vector<Group>& groups, OptimizerParams& out,
                     const std::unordered_map<std::string_view, std::string_view>& keys) {
  for (const Group& group : groups)
    for (const Param& param : group.params) {
      if (!param.id.starts_with('"')) return false;
      const std::string name = param.id.substr(1, param.id.size() - 2);
      const auto found = keys.find(name);
      out.names[param.id] = found != keys.end() ? found->second : side.keep(name);
    }
  out.named_by = NamedBy::kKeys;
  return !out.names.empty();
}

bool repeats_an_id(const std::vector<Group>& groups) {
  std::set<std::string_view> seen;
  for (const Group& group : groups)
    for (const Param& param : group.params)
      if (!seen.insert(param.id).second) return true;
  return false;
}

// The first id with more than one candidate weight.
std::string ambiguity(const std::vector<Group>& groups, bool fits) {
  if (!fits) return "the shapes of its state do not match the weights in order";
  for (const Group& group : groups)
    for (const Param& param : group.params)
      if (!param.fixed) return fmt::format("several weights have the shape of parameter {}", param.id);
  return "order and shapes are ambiguous";
}

// The optimizers that have the parameters of the same models.
void name_parameters_of(Side& side, std::span<const std::size_t> models, std::span<const std::size_t> indexes,
                        const Names& still, std::vector<OptimizerParams>& all_params) {
  const std::vector<Weight> weights = candidate_weights(side, models, still);
  std::unordered_map<std::string_view, std::string_view> keys;
  for (const Weight& weight : weights) keys.emplace(weight.name, weight.key);
  std::vector<std::optional<std::vector<Group>>> all;
  for (const std::size_t index : indexes)
    all.push_back(read_groups(side, side.input->training.optimizers[index], !still.empty()));
  std::vector<std::vector<Param>*> to_assign;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto& groups = all[i];
    OptimizerParams& params = all_params[indexes[i]];
    if (!groups) continue;
    for (const Group& group : *groups) {
      auto& ids = params.groups.emplace_back();
      for (std::size_t k = 0; k < group.params.size(); ++k) {
        ids.push_back(group.params[k].id);
        if (group.states[k].node != kNoNode) params.states.emplace(ids.back(), group.states[k]);
      }
    }
    if (repeats_an_id(*groups)) {
      params.repeats = true;
      params.named_by = NamedBy::kAmbiguous;
      params.why = "an id is listed twice";
      groups.reset();
      continue;
    }
    if (weights.empty() || take_param_names(side, *groups, params, keys)) continue;
    params.names.clear();
    take_callback_names(side, static_cast<std::int64_t>(indexes[i]), *groups);
    if (take_param_names(side, *groups, params, keys)) {
      params.named_by = NamedBy::kCallback;
      continue;
    }
    params.names.clear();
    if (take_string_ids(side, *groups, params, keys)) continue;
    params.names.clear();
    for (Group& group : *groups) to_assign.push_back(&group.params);
  }
  if (to_assign.empty()) return;
  Assignment assignment(weights);
  assignment.solve(to_assign);
  for (std::size_t i = 0; i < all.size(); ++i) {
    OptimizerParams& params = all_params[indexes[i]];
    if (!all[i] || weights.empty() || params.known()) continue;
    bool whole = assignment.fits();
    for (const Group& group : *all[i])
      for (const Param& param : group.params) {
        whole = whole && param.fixed;
        if (param.fixed && assignment.fits()) params.names[param.id] = weights[param.low].key;
      }
    params.named_by = whole ? NamedBy::kOrder : NamedBy::kAmbiguous;
    if (!whole) params.why = ambiguity(*all[i], assignment.fits());
  }
}

}  // namespace

std::vector<OptimizerParams> name_parameters(Side& side, const Names& still) {
  const auto& optimizers = side.input->training.optimizers;
  std::vector<OptimizerParams> out(optimizers.size());
  std::map<std::vector<std::size_t>, std::vector<std::size_t>> by_models;
  const bool trainer = side.items().kind == training::FileKind::kTrainer;
  for (std::size_t i = 0; i < optimizers.size(); ++i) {
    out[i].path = optimizers[i].path;
    out[i].place = trainer ? value::index_path(keys::kOptimizerStates, i) : out[i].path;
    by_models[optimizers[i].models].push_back(i);
  }
  for (const auto& [models, indexes] : by_models) name_parameters_of(side, models, indexes, still, out);
  return out;
}

}  // namespace ckpt::diff
