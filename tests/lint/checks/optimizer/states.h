// Optimizer states that tests put into the healthy checkpoint.
#pragma once

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "tests/lint/checks/cases.h"

namespace ckpt::test {

using value::NodeId;

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

inline NodeId state_of(CheckpointBuilder& b, const std::vector<value::Item>& items) {
  const auto state = b.tree().add_dict();
  b.tree().set_items(state, items);
  return state;
}

// The optimizer of the file, with another state.
inline NodeId optimizer(CheckpointBuilder& b, NodeId state) {
  return b.dict({{"state", state}, {"param_groups", b.list({b.dict(b.group)})}});
}

inline void set_state(CheckpointBuilder& b, const std::vector<value::Item>& items) {
  b.set(b.root, "optimizer_states", b.list({optimizer(b, state_of(b, items))}));
}

inline NodeId moment(CheckpointBuilder& b, std::vector<std::int64_t> shape) {
  std::size_t numel = 1;
  for (const auto size : shape) numel *= static_cast<std::size_t>(size);
  return b.tensor(std::move(shape), std::vector<float>(numel, 1));
}

// A state for each shape, under 0, 1, ...; with `second` as the shape of exp_avg_sq where it is another.
inline void set_moments(CheckpointBuilder& b, const std::vector<std::vector<std::int64_t>>& shapes,
                        const std::vector<std::vector<std::int64_t>>& second = {}) {
  std::vector<value::Item> items;
  std::vector<NodeId> ids;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    ids.push_back(b.integer(static_cast<std::int64_t>(i)));
    items.push_back({b.integer(static_cast<std::int64_t>(i)),
                     b.dict({{"step", b.integer(8)},
                             {"exp_avg", moment(b, shapes[i])},
                             {"exp_avg_sq", moment(b, second.empty() ? shapes[i] : second[i])}})});
  }
  b.set(b.group, "params", b.list(ids));
  set_state(b, items);
}

inline void set_weights(CheckpointBuilder& b,
                        std::initializer_list<std::pair<const char*, std::vector<std::int64_t>>> weights) {
  b.weights.clear();
  for (const auto& [name, shape] : weights) b.set(b.weights, name, moment(b, shape));
}

// Two linear layers, and moments in the order of the parameters.
inline void two_layers(CheckpointBuilder& b, const std::vector<std::vector<std::int64_t>>& moments) {
  set_weights(b, {{"a.weight", {4, 3}}, {"a.bias", {4}}, {"b.weight", {2, 4}}, {"b.bias", {2}}});
  set_moments(b, moments);
}

inline NodeId texts(CheckpointBuilder& b, std::initializer_list<const char*> list) {
  std::vector<NodeId> ids;
  for (const auto* text : list) ids.push_back(b.text(text));
  return b.list(ids);
}

inline void as_adam(CheckpointBuilder& b) {
  for (const auto* key : {"amsgrad", "maximize", "capturable", "differentiable"})
    b.set(b.group, key, b.boolean(false));
  b.set(b.group, "foreach", b.none());
}

inline void as_sgd(CheckpointBuilder& b, double momentum) {
  b.remove(b.group, "betas");
  b.remove(b.group, "eps");
  b.set(b.group, "momentum", b.real(momentum));
  b.set(b.group, "dampening", b.integer(0));
  b.set(b.group, "nesterov", b.boolean(false));
}

inline NodeId buffer(CheckpointBuilder& b, bool there) {
  return b.dict({{"momentum_buffer", there ? moment(b, {2}) : b.none()}});
}

inline void scaler(CheckpointBuilder& b, NodeId scale, int tracker = 5) {
  b.set(b.root, "AnyPlugin",
        b.dict({{"scale", scale},
                {"growth_factor", b.real(2)},
                {"backoff_factor", b.real(0.5)},
                {"growth_interval", b.integer(2000)},
                {"_growth_tracker", b.integer(tracker)}}));
}

// The optimizer of the file without state, and another that took `steps`.
inline void beside(CheckpointBuilder& b, int steps) {
  Fields state = b.bias_moments;
  if (steps < 0)
    b.remove(state, "step");
  else
    b.set(state, "step", b.integer(steps));
  b.set(b.root, "optimizer_states",
        b.list({optimizer(b, state_of(b, {})), optimizer(b, state_of(b, {{b.integer(1), b.dict(state)}}))}));
}

inline constexpr auto nothing = [](auto&) {};

}  // namespace ckpt::test
