// Under which keys the values of optimizers are compared.
#include <algorithm>
#include <map>
#include <set>

#include "diff/optimizers.h"
#include "training/keys.h"
#include "value/access.h"
#include "value/path.h"

namespace ckpt::diff {

namespace keys = training::keys;

bool same_layout(const OptimizerParams& a, const OptimizerParams& b) {
  const auto fits = [&](const auto& state) {
    const auto other = a.states.find(state.first);
    return other == a.states.end() || other->second.shape == nullptr || state.second.shape == nullptr ||
           *other->second.shape == *state.second.shape;
  };
  return a.groups == b.groups && std::all_of(b.states.begin(), b.states.end(), fits);
}

namespace {

bool same_place(AllParams params, std::size_t index) {
  const OptimizerParams* first = nullptr;
  bool same = true, single = true;
  for (const auto& side : params) {
    single = single && side.size() == 1;
    if (index >= side.size()) continue;
    if (first == nullptr) first = &side[index];
    same = same && side[index].place == first->place;
  }
  return same || single;
}

}  // namespace

StateKeys state_keys(AllParams params, std::size_t index) {
  if (!same_place(params, index)) return StateKeys::kIds;
  std::vector<const OptimizerParams*> all;
  for (const auto& side : params)
    if (index < side.size()) all.push_back(&side[index]);
  const auto every = [&](auto holds) {
    return std::all_of(all.begin(), all.end(), [&](const OptimizerParams* p) { return holds(*p); });
  };
  if (every([](const OptimizerParams& p) { return p.known(); })) return StateKeys::kNames;
  if (!every([](const OptimizerParams& p) { return p.named_by != NamedBy::kNothing && !p.repeats; }))
    return StateKeys::kIds;
  return every([&](const OptimizerParams& p) { return same_layout(*all[0], p); }) ? StateKeys::kIds
                                                                                  : StateKeys::kSome;
}

bool same_group_sizes(AllParams params, std::size_t index) {
  const OptimizerParams* first = nullptr;
  for (const auto& side : params) {
    if (index >= side.size()) continue;
    if (first == nullptr) first = &side[index];
    if (!std::equal(first->groups.begin(), first->groups.end(), side[index].groups.begin(),
                    side[index].groups.end(),
                    [](const auto& x, const auto& y) { return x.size() == y.size(); }))
      return false;
  }
  return true;
}

namespace {

// What is known of one optimizer on all sides.
struct Mode {
  StateKeys keys = StateKeys::kIds;
  bool lists_ids = true;              // compare the ids of the groups ...
  bool lists_names = true;            // ... and their param_names as they are
  std::set<std::string_view> shared;  // kSome: names that every side has found
};

// A name that one side alone has found may be that of a state of the other.
std::set<std::string_view> shared_names(AllParams params, std::size_t index) {
  std::map<std::string_view, std::size_t> count;
  std::size_t sides = 0;
  for (const auto& side : params) {
    if (index >= side.size()) continue;
    ++sides;
    for (const auto& [id, name] : side[index].names) ++count[name];
  }
  std::set<std::string_view> out;
  for (const auto& [name, times] : count)
    if (times == sides) out.insert(name);
  return out;
}

Mode mode_of(AllParams params, std::size_t index) {
  Mode mode;
  mode.keys = state_keys(params, index);
  if (mode.keys == StateKeys::kIds) return mode;
  mode.lists_ids = same_group_sizes(params, index);
  if (mode.keys == StateKeys::kSome) mode.shared = shared_names(params, index);
  mode.lists_names = !std::all_of(params.begin(), params.end(), [&](const auto& side) {
    return index >= side.size() || side[index].named_by == NamedBy::kParamNames;
  });
  return mode;
}

bool is_replaced_list(const Side& side, std::string_view path, const std::vector<Mode>& modes) {
  const auto optimizer = parse_optimizer_path(side.items(), path);
  if (!optimizer || optimizer->index >= modes.size()) return false;
  const auto groups = after_key(optimizer->rest, keys::kParamGroups);
  const auto group = groups ? index_below(*groups, "") : std::nullopt;
  if (!group) return false;
  const Mode& mode = modes[optimizer->index];
  return (!mode.lists_ids && after_key(group->rest, keys::kParams)) ||
         (!mode.lists_names && after_key(group->rest, keys::kParamNames));
}

bool is_listed(const OptimizerParams& params, const std::string& id) {
  return std::any_of(params.groups.begin(), params.groups.end(), [&](const auto& group) {
    return std::find(group.begin(), group.end(), id) != group.end();
  });
}

// Returns the number of states that are left out, per optimizer.
std::vector<std::size_t> rename_states(Side& side, const std::vector<OptimizerParams>& params,
                                       const std::vector<Mode>& modes) {
  std::vector<std::set<std::string>> unnamed(params.size());
  std::erase_if(side.places, [&](Place& place) {
    const auto state = parse_state_path(side.items(), place.path);
    if (!state || state->optimizer >= params.size()) return false;
    const Mode& mode = modes[state->optimizer];
    if (mode.keys == StateKeys::kIds) return false;
    const OptimizerParams& known = params[state->optimizer];
    const auto found = known.names.find(state->id);
    if (found == known.names.end() ||
        (mode.keys == StateKeys::kSome && !mode.shared.contains(found->second))) {
      if (mode.keys != StateKeys::kSome) return false;
      auto& ids = unnamed[state->optimizer];
      if (!ids.contains(state->id) && !is_listed(known, state->id)) return false;
      ids.insert(state->id);
      return true;
    }
    place.name = found->second;
    place.key = {Space::kOptimizerState, state->optimizer,
                 side.keep(std::string(found->second) + kFieldMark + std::string(state->rest))};
    return false;
  });
  std::vector<std::size_t> out;
  for (const auto& ids : unnamed) out.push_back(ids.size());
  return out;
}

// True if the same optimizer is at different paths: optimizer_0 of a sharded folder, optimizer_states[0].
bool is_moved(AllParams params, std::size_t index) {
  std::set<std::string_view> paths;
  for (const auto& side : params)
    if (index < side.size()) paths.insert(side[index].path);
  return paths.size() > 1 && same_place(params, index);
}

void rename_moved(Side& side, const std::vector<bool>& moved) {
  for (Place& place : side.places) {
    const auto optimizer = parse_optimizer_path(side.items(), place.path);
    if (!optimizer || !moved[optimizer->index] || place.key.space != Space::kPath) continue;
    place.key.text =
        side.keep(value::index_path(keys::kOptimizerStates, optimizer->index) + std::string(optimizer->rest));
  }
}

}  // namespace

std::vector<std::vector<std::size_t>> use_names(std::span<Side> sides, AllParams params) {
  std::size_t most = 0;
  for (const auto& side : params) most = std::max(most, side.size());
  std::vector<Mode> modes;
  std::vector<bool> moved;
  for (std::size_t i = 0; i < most; ++i) {
    modes.push_back(mode_of(params, i));
    moved.push_back(is_moved(params, i));
  }
  std::vector<std::vector<std::size_t>> out;
  for (std::size_t s = 0; s < sides.size(); ++s) {
    std::erase_if(sides[s].places,
                  [&](const Place& place) { return is_replaced_list(sides[s], place.path, modes); });
    out.push_back(rename_states(sides[s], params[s], modes));
    if (std::find(moved.begin(), moved.end(), true) != moved.end()) rename_moved(sides[s], moved);
  }
  return out;
}

}  // namespace ckpt::diff
