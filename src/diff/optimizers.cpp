#include "diff/optimizers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "diff/assignment.h"
#include "value/path.h"

namespace ckpt::diff {
namespace {

using value::Item;
using value::Kind;
using value::kNoNode;
using value::NodeId;
using value::Tree;

bool is(const Tree& tree, NodeId node, Kind kind) { return node != kNoNode && tree.kind(node) == kind; }

std::string id_text(const Tree& tree, NodeId node) {
  std::string text;
  value::append_key(text, tree, node);  // "[3]", "name" or "[\"a.b\"]"
  if (text.starts_with('[') && text.ends_with(']'))
    text = text.substr(1, text.size() - 2);
  else
    text = quote(text);
  return text;
}

// --- the weights that an optimizer may have ------------------------------------------------------------

// Buffers that torch's own modules keep (nn/modules/batchnorm.py); integer ones are
// recognised by their dtype.
bool is_known_buffer(std::string_view name) {
  constexpr std::array<std::string_view, 3> kBuffers = {"running_mean", "running_var", "num_batches_tracked"};
  const std::string_view last = name.substr(name.rfind('.') == name.npos ? 0 : name.rfind('.') + 1);
  return std::find(kBuffers.begin(), kBuffers.end(), last) != kBuffers.end();
}

// In the order of the state_dict; a tied weight counts once (Module.parameters() does so).
std::vector<Weight> candidate_weights(const Side& side) {
  std::vector<Weight> out;
  std::set<std::tuple<std::uint32_t, std::uint64_t, Shape>> seen;
  const bool averaged = side.items().current_model_state != kNoNode;
  for (const Place& place : side.places) {
    if (place.key.space != (averaged ? Space::kCurrentWeight : Space::kWeight) ||
        place.slot.kind != SlotKind::kTensor)
      continue;
    const tensor::TensorView& view = side.record(place.slot).view;
    if (!tensor::is_floating(view.dtype) || is_known_buffer(place.name) ||
        side.file().entries[place.slot.index].part)
      continue;
    if (view.has_storage() && !seen.insert({view.storage, view.storage_offset, view.shape}).second) continue;
    out.push_back({place.key.text, place.name, &view.shape});
  }
  return out;
}

// --- ids and what is known about them ---------------------------------------------------------------------

// State of the weight's own shape, for the optimizers of torch.optim; LBFGS keeps one
// flat state and is not here.
const Shape* state_shape(const Side& side, NodeId state) {
  const Tree& tree = side.file().tree;
  if (!is(tree, state, Kind::kDict)) return nullptr;
  for (const std::string_view field :
       {"exp_avg", "momentum_buffer", "square_avg", "exp_inf", "sum", "acc_delta", "prev", "ax"}) {
    const NodeId node = tree.get(state, field);
    if (is(tree, node, Kind::kTensor)) return &side.file().tensor_records[tree.payload(node)].view.shape;
  }
  return nullptr;
}

struct Group {
  std::vector<Param> params;
  NodeId names = kNoNode;  // param_names
};

// nullopt if the optimizer's state does not look like torch's.
std::optional<std::vector<Group>> read_groups(const Side& side, NodeId optimizer) {
  const Tree& tree = side.file().tree;
  if (!is(tree, optimizer, Kind::kDict)) return std::nullopt;
  const NodeId groups = tree.get(optimizer, "param_groups");
  const NodeId state = tree.get(optimizer, "state");
  if (!is(tree, groups, Kind::kList)) return std::nullopt;
  std::unordered_map<std::string, NodeId> states;
  if (is(tree, state, Kind::kDict))
    for (const Item& item : tree.items(state)) states.emplace(id_text(tree, item.key), item.value);
  std::vector<Group> out;
  for (const NodeId group : tree.elements(groups)) {
    if (!is(tree, group, Kind::kDict)) return std::nullopt;
    const NodeId params = tree.get(group, "params");
    if (!is(tree, params, Kind::kList)) return std::nullopt;
    Group& g = out.emplace_back();
    g.names = tree.get(group, "param_names");
    for (const NodeId id : tree.elements(params)) {
      Param& param = g.params.emplace_back();
      param.id = id_text(tree, id);
      if (const auto found = states.find(param.id); found != states.end())
        param.shape = state_shape(side, found->second);
    }
  }
  return out;
}

// --- one file ------------------------------------------------------------------------------------------

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

}  // namespace

std::vector<OptimizerParams> name_parameters(Side& side) {
  const Tree& tree = side.file().tree;
  std::vector<OptimizerParams> out;
  if (!is(tree, side.items().optimizer_states, Kind::kList)) return out;
  const std::vector<Weight> weights = candidate_weights(side);
  std::unordered_map<std::string_view, std::string_view> keys;
  for (const Weight& weight : weights) keys.emplace(weight.name, weight.key);
  std::vector<std::optional<std::vector<Group>>> all;
  for (const NodeId node : tree.elements(side.items().optimizer_states))
    all.push_back(read_groups(side, node));
  std::vector<std::vector<Param>*> to_assign;
  for (auto& groups : all) {
    OptimizerParams& params = out.emplace_back();
    if (!groups) continue;
    for (const Group& group : *groups) {
      auto& ids = params.groups.emplace_back();
      for (const Param& param : group.params) ids.push_back(param.id);
    }
    if (repeats_an_id(*groups)) {
      params.named_by = NamedBy::kAmbiguous;
      params.why = "an id is listed twice";
      groups.reset();
      continue;
    }
    if (weights.empty() || take_param_names(side, *groups, params, keys)) continue;
    params.names.clear();
    if (take_string_ids(side, *groups, params, keys)) continue;
    params.names.clear();
    for (Group& group : *groups) to_assign.push_back(&group.params);
  }
  if (to_assign.empty()) return out;
  Assignment assignment(weights);
  assignment.solve(to_assign);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i] || weights.empty() || out[i].known()) continue;
    bool whole = assignment.fits();
    for (const Group& group : *all[i])
      for (const Param& param : group.params) {
        whole = whole && param.fixed;
        if (param.fixed) out[i].names[param.id] = weights[param.low].key;
      }
    out[i].named_by = whole ? NamedBy::kOrder : NamedBy::kAmbiguous;
    if (!whole) out[i].why = ambiguity(*all[i], assignment.fits());
  }
  return out;
}

std::optional<StatePath> parse_state_path(std::string_view path) {
  constexpr std::string_view kRoot = "optimizer_states[";
  constexpr std::string_view kState = "].state";
  if (!path.starts_with(kRoot)) return std::nullopt;
  StatePath out;
  const char* const begin = path.data() + kRoot.size();
  const auto [end, error] = std::from_chars(begin, path.data() + path.size(), out.optimizer);
  if (error != std::errc{}) return std::nullopt;
  std::string_view rest = path.substr(static_cast<std::size_t>(end - path.data()));
  if (!rest.starts_with(kState)) return std::nullopt;
  rest.remove_prefix(kState.size());
  if (rest.starts_with('.')) {  // a name that is an identifier
    const std::size_t length = std::min(rest.find_first_of(".[", 1), rest.size());
    out.id = quote(rest.substr(1, length - 1));
    out.rest = rest.substr(length);
    return out;
  }
  if (rest.starts_with("[\"")) {
    std::size_t close = 2;
    while (close < rest.size() && rest[close] != '"') close += rest[close] == '\\' ? 2u : 1u;
    if (close + 1 >= rest.size()) return std::nullopt;
    out.id = rest.substr(1, close);
    out.rest = rest.substr(close + 2);
    return out;
  }
  const std::size_t close = rest.find(']');
  if (!rest.starts_with('[') || close == rest.npos) return std::nullopt;
  out.id = rest.substr(1, close - 1);
  out.rest = rest.substr(close + 1);
  return out;
}

bool named_everywhere(std::span<const std::vector<OptimizerParams>> params, std::size_t index) {
  return std::all_of(params.begin(), params.end(),
                     [&](const auto& side) { return index >= side.size() || side[index].known(); });
}

void use_names(std::span<Side> sides, std::span<const std::vector<OptimizerParams>> params) {
  const auto is_list_of_ids = [&](const Place& place, std::size_t side) {
    if (!place.path.starts_with("optimizer_states[")) return false;
    for (std::size_t i = 0; i < params[side].size(); ++i) {
      const std::string root = fmt::format("optimizer_states[{}].param_groups[", i);
      if (!place.path.starts_with(root) || !named_everywhere(params, i)) continue;
      const std::size_t close = place.path.find(']', root.size());
      const std::string_view rest =
          close == place.path.npos ? std::string_view() : place.path.substr(close + 1);
      return is_below(rest, ".params") || is_below(rest, ".param_names");
    }
    return false;
  };
  for (std::size_t s = 0; s < sides.size(); ++s) {
    if (params[s].empty()) continue;
    std::erase_if(sides[s].places, [&](const Place& place) { return is_list_of_ids(place, s); });
    for (Place& place : sides[s].places) {
      const auto state = parse_state_path(place.path);
      if (!state || state->optimizer >= params[s].size() || !named_everywhere(params, state->optimizer))
        continue;
      const auto found = params[s][state->optimizer].names.find(state->id);
      if (found == params[s][state->optimizer].names.end()) continue;
      place.name = found->second;
      place.key = {Space::kOptimizerState, state->optimizer,
                   sides[s].keep(std::string(found->second) + kFieldMark + std::string(state->rest))};
    }
  }
}

}  // namespace ckpt::diff
