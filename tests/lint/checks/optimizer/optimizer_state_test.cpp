// Rules about what the states of optimizers hold, which weights they are of, and the settings beside them.
#include <cmath>

#include <doctest/doctest.h>

#include "tests/lint/checks/cases.h"

using namespace ckpt;
using namespace ckpt::test;
using value::NodeId;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

NodeId state_of(CheckpointBuilder& b, const std::vector<value::Item>& items) {
  const auto state = b.tree().add_dict();
  b.tree().set_items(state, items);
  return state;
}

// The optimizer of the file, with another state.
NodeId optimizer(CheckpointBuilder& b, NodeId state) {
  return b.dict({{"state", state}, {"param_groups", b.list({b.dict(b.group)})}});
}

void set_state(CheckpointBuilder& b, const std::vector<value::Item>& items) {
  b.set(b.root, "optimizer_states", b.list({optimizer(b, state_of(b, items))}));
}

NodeId moment(CheckpointBuilder& b, std::vector<std::int64_t> shape) {
  std::size_t numel = 1;
  for (const auto size : shape) numel *= static_cast<std::size_t>(size);
  return b.tensor(std::move(shape), std::vector<float>(numel, 1));
}

// A state for each shape, under 0, 1, ...; with `second` as the shape of exp_avg_sq where it is another.
void set_moments(CheckpointBuilder& b, const std::vector<std::vector<std::int64_t>>& shapes,
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

void set_weights(CheckpointBuilder& b,
                 std::initializer_list<std::pair<const char*, std::vector<std::int64_t>>> weights) {
  b.weights.clear();
  for (const auto& [name, shape] : weights) b.set(b.weights, name, moment(b, shape));
}

// Two linear layers, and moments in the order of the parameters.
void two_layers(CheckpointBuilder& b, const std::vector<std::vector<std::int64_t>>& moments) {
  set_weights(b, {{"a.weight", {4, 3}}, {"a.bias", {4}}, {"b.weight", {2, 4}}, {"b.bias", {2}}});
  set_moments(b, moments);
}

NodeId texts(CheckpointBuilder& b, std::initializer_list<const char*> list) {
  std::vector<NodeId> ids;
  for (const auto* text : list) ids.push_back(b.text(text));
  return b.list(ids);
}

void as_adam(CheckpointBuilder& b) {
  for (const auto* key : {"amsgrad", "maximize", "capturable", "differentiable"})
    b.set(b.group, key, b.boolean(false));
  b.set(b.group, "foreach", b.none());
}

void as_sgd(CheckpointBuilder& b, double momentum) {
  b.remove(b.group, "betas");
  b.remove(b.group, "eps");
  b.set(b.group, "momentum", b.real(momentum));
  b.set(b.group, "dampening", b.integer(0));
  b.set(b.group, "nesterov", b.boolean(false));
}

NodeId buffer(CheckpointBuilder& b, bool there) {
  return b.dict({{"momentum_buffer", there ? moment(b, {2}) : b.none()}});
}

void scaler(CheckpointBuilder& b, NodeId scale, int tracker = 5) {
  b.set(b.root, "AnyPlugin",
        b.dict({{"scale", scale},
                {"growth_factor", b.real(2)},
                {"backoff_factor", b.real(0.5)},
                {"growth_interval", b.integer(2000)},
                {"_growth_tracker", b.integer(tracker)}}));
}

// The optimizer of the file without state, and another that took `steps`.
void beside(CheckpointBuilder& b, int steps) {
  Fields state = b.bias_moments;
  if (steps < 0)
    b.remove(state, "step");
  else
    b.set(state, "step", b.integer(steps));
  b.set(b.root, "optimizer_states",
        b.list({optimizer(b, state_of(b, {})), optimizer(b, state_of(b, {{b.integer(1), b.dict(state)}}))}));
}

constexpr auto nothing = [](auto&) {};

}  // namespace

TEST_CASE("a state that holds nothing for its parameters is told, with how sure that is") {
  const Case cases[] = {
      {"optimizer-state-empty", "healthy", nothing, {}},
      {"optimizer-state-empty",
       "{} beside a scheduler",
       [](auto& b) { b.set(b.root, "optimizer_states", b.list({b.dict({})})); },
       {"error optimizer_states[0]: empty dict, as ZeroRedundancyOptimizer leaves on every rank but one: "
        "Lightning raises KeyError 'param_groups'"}},
      {"optimizer-state-empty",
       "an optimizer with a format of its own",
       [](auto& b) {
         b.set(b.root, "optimizer_states", b.list({b.dict({{"base", b.dict({})}})}));
       },
       {"warning optimizer_states[0].param_groups: missing, and so is state: only an optimizer with its own "
        "load_state_dict can load this"}},
      {"optimizer-state-empty",
       "no param_groups",
       [](auto& b) {
         b.set(b.root, "optimizer_states", b.list({b.dict({{"state", b.dict({})}})}));
       },
       {"error optimizer_states[0].param_groups: missing: Lightning raises KeyError 'param_groups'"}},
      {"optimizer-state-empty",
       "a group without params",
       [](auto& b) { b.remove(b.group, "params"); },
       {"error optimizer_states[0].param_groups[0].params: missing: Lightning raises KeyError 'params'"}},
      {"optimizer-state-empty",
       "entries without content",
       [](auto& b) {
         set_state(b, {{b.integer(0), b.dict({})}, {b.integer(1), b.dict({})}});
       },
       {"error optimizer_states[0].state: 2 empty entries after 8 steps: moments and step counts restart at "
        "zero"}},
      {"optimizer-state-empty",
       "entries without content, of a class that may keep nothing",
       [](auto& b) {
         b.remove(b.group, "betas");
         set_state(b, {{b.integer(0), b.dict({})}});
       },
       {"note optimizer_states[0].state: 1 empty entry after 8 steps: the optimizer keeps no state, or "
        "moments and step counts restart at zero"}},
      {"optimizer-state-empty",
       "one of them is unused",
       [](auto& b) {
         set_state(b, {{b.integer(0), b.dict({})}, {b.integer(1), b.dict(b.bias_moments)}});
       },
       {}},
      {"optimizer-state-empty",
       "another library's class",
       [](auto& b) {
         b.with_optimizer_state = false;
         b.remove(b.group, "betas");
       },
       {"warning optimizer_states[0].state: no state after 8 steps: the optimizer keeps none, or moments and "
        "step counts restart at zero"}},
      {"optimizer-state-empty",
       "ids that are texts",
       [](auto& b) {
         set_state(b, {{b.text("0"), b.dict(b.moments)}, {b.text("1"), b.dict(b.bias_moments)}});
       },
       {"error optimizer_states[0].state: no group has the keys of 2 states (first: \"0\"): all 2 parameters "
        "restart at zero"}},
      {"optimizer-state-empty",
       "ids that moved",
       [](auto& b) {
         set_state(b, {{b.integer(10), b.dict(b.moments)}, {b.integer(11), b.dict(b.bias_moments)}});
       },
       {"error optimizer_states[0].state: no group has the keys of 2 states (first: 10): all 2 parameters "
        "restart at zero"}},
      {"optimizer-state-empty",
       "momentum without buffers",
       [](auto& b) {
         as_sgd(b, 0.9);
         set_state(b, {{b.integer(0), buffer(b, false)}, {b.integer(1), buffer(b, false)}});
       },
       {"error optimizer_states[0].state: momentum is set, but 2 states without momentum_buffer: momentum "
        "restarts at zero"}},
      {"optimizer-state-empty",
       "momentum with a buffer",
       [](auto& b) {
         as_sgd(b, 0.9);
         set_state(b, {{b.integer(0), buffer(b, false)}, {b.integer(1), buffer(b, true)}});
       },
       {}},
      {"optimizer-state-empty",
       "no momentum, no buffers",
       [](auto& b) {
         as_sgd(b, 0);
         set_state(b, {{b.integer(0), buffer(b, false)}});
       },
       {}},
      {"optimizer-state-empty",
       "a scaler that skipped every step",
       [](auto& b) {
         b.with_optimizer_state = false;
         scaler(b, b.real(256), 0);
       },
       {"note optimizer_states[0].state: no state after 8 steps: the gradient scaler skipped all of them, or "
        "moments and step counts restart at zero"}},
      {"optimizer-state-empty",
       "a scaler whose last step was taken",
       [](auto& b) {
         b.with_optimizer_state = false;
         scaler(b, b.real(256), 3);
       },
       {"error optimizer_states[0].state: no state after 8 steps: moments and step counts restart at zero"}},
      {"optimizer-state-empty",
       "a scaler cannot skip so many",
       [](auto& b) {
         b.with_optimizer_state = false;
         b.set(b.root, "global_step", b.integer(5000));
         scaler(b, b.real(256), 0);
       },
       {"error optimizer_states[0].state: no state after 5000 steps: moments and step counts restart at "
        "zero"}},
      {"optimizer-state-empty", "another optimizer took all steps", [](auto& b) { beside(b, 8); }, {}},
      {"optimizer-state-empty",
       "another optimizer took some steps",
       [](auto& b) { beside(b, 4); },
       {"warning optimizer_states[0].state: no state after 8 steps, of which other optimizers took 4: this "
        "one waits for its turn, or moments and step counts restart at zero"}},
      {"optimizer-state-empty",
       "another optimizer does not say",
       [](auto& b) { beside(b, -1); },
       {"note optimizer_states[0].state: no state after 8 steps, but other optimizers have state: this one "
        "waits for its turn, or moments and step counts restart at zero"}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("shapes of moments are compared with weights, by name, by number and by order") {
  const Case cases[] = {
      {"optimizer-state-shape",
       "one second moment a parameter (NovoGrad)",
       [](auto& b) {
         set_moments(b, {{2, 3}, {2}}, {{}, {}});
       },
       {}},
      {"optimizer-state-shape",
       "one second moment a row (Adam-mini)",
       [](auto& b) {
         set_moments(b, {{2, 3}, {2}}, {{2, 1}, {2}});
       },
       {}},
      {"optimizer-state-shape",
       "one of two parameters lost its second moment",
       [](auto& b) {
         two_layers(b, {});
         set_moments(b, {{4, 3}, {4}, {2, 4}, {2}}, {{4, 3}, {4}, {}, {2}});
       },
       {"error optimizer_states[0].state[2].exp_avg_sq: [], but exp_avg of the same parameter is [2, 4] (1 "
        "of 4 parameters)"}},
      {"optimizer-state-shape",
       "vectors of everything",
       [](auto& b) {
         set_moments(b, {{6}, {2}});
       },
       {}},
      {"optimizer-state-shape",
       "one line for one cause",
       [](auto& b) {
         two_layers(b, {{4, 3}, {4}, {2, 4}, {2}});
         set_weights(b, {{"a.weight", {4, 3}}, {"a.bias", {4}}});
       },
       {"error optimizer_states[0].state[2].exp_avg: [2, 4] fits no remaining weight (2 of 4 parameters): "
        "the optimizer belongs to another model, or weights were removed"}},
      {"optimizer-state-shape",
       "an integer weight is another rule's",
       [](auto& b) {
         b.set(b.weights, "net.bias", b.integers({2}, {1, 2}));
       },
       {}},
      {"optimizer-state-shape",
       "a weight that is None is another rule's",
       [](auto& b) { b.set(b.weights, "net.bias", b.none()); },
       {}},
      {"optimizer-state-shape",
       "two that changed places",
       [](auto& b) {
         two_layers(b, {{2, 4}, {4}, {4, 3}, {2}});
       },
       {"warning optimizer_states[0].state[1].exp_avg: [4], but no such weight follows those of the earlier "
        "parameters: the moments and the weights are in different orders"}},
      {"optimizer-state-shape",
       "the head before the backbone",
       [](auto& b) {
         two_layers(b, {{2, 4}, {2}, {4, 3}, {4}});
       },
       {}},
      {"optimizer-state-shape",
       "parameters that were sorted by name",
       [](auto& b) {
         two_layers(b, {{4}, {4, 3}, {2}, {2, 4}});
       },
       {}},
      {"optimizer-state-shape",
       "keys in an order of their own",
       [](auto& b) {
         set_weights(b, {{"a.weight", {4, 3}}, {"b.weight", {2, 4}}, {"a.bias", {4}}, {"b.bias", {2}}});
         set_moments(b, {{2, 4}, {4}, {4, 3}, {2}});
       },
       {}},
      {"optimizer-state-shape",
       "keys by the alphabet",
       [](auto& b) {
         set_weights(b, {{"a.bias", {4}}, {"a.weight", {4, 3}}, {"b.bias", {2}}, {"b.weight", {2, 4}}});
         set_moments(b, {{4, 3}, {4}, {2, 4}, {2}});
       },
       {}},
      {"optimizer-state-shape",
       "names that agree",
       [](auto& b) {
         b.set(b.group, "param_names", texts(b, {"net.weight", "net.bias"}));
       },
       {}},
      {"optimizer-state-shape",
       "names that do not",
       [](auto& b) {
         b.set(b.group, "param_names", texts(b, {"net.bias", "net.weight"}));
       },
       {"error optimizer_states[0].state[0].exp_avg: [2, 3], but param_names assigns it to net.bias, which "
        "is [2] (2 of 2 parameters)"}},
      {"optimizer-state-shape",
       "a name that the state_dict lacks",
       [](auto& b) {
         b.set(b.group, "param_names", texts(b, {"net.weight", "net.old"}));
       },
       {"warning optimizer_states[0].state[1].exp_avg: param_names assigns it to net.old, which the "
        "state_dict lacks (1 of 2 parameters)"}},
      {"optimizer-state-shape",
       "names below a part of the module",
       [](auto& b) {
         b.set(b.group, "param_names", texts(b, {"weight", "bias"}));
       },
       {}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("states that lack something, and numbers that contradict each other") {
  const Case cases[] = {
      {"optimizer-state-incomplete", "healthy", [](auto& b) { as_adam(b); }, {}},
      {"optimizer-state-incomplete",
       "a moment is lost",
       [](auto& b) {
         as_adam(b);
         b.remove(b.bias_moments, "exp_avg_sq");
       },
       {"error optimizer_states[0].state[1].exp_avg_sq: missing, but Adam or AdamW needs it (1 of 2 states): "
        "the first step raises KeyError 'exp_avg_sq'"}},
      {"optimizer-state-incomplete",
       "amsgrad without its maximum",
       [](auto& b) {
         as_adam(b);
         b.set(b.group, "amsgrad", b.boolean(true));
       },
       {"error optimizer_states[0].state[0].max_exp_avg_sq: missing, but Adam or AdamW needs it (2 of 2 "
        "states): the first step raises KeyError 'max_exp_avg_sq'"}},
      {"optimizer-state-incomplete",
       "another library's",
       [](auto& b) { b.remove(b.moments, "exp_avg_sq"); },
       {}},
      {"optimizer-state-incomplete",
       "made at the next step",
       [](auto& b) {
         as_adam(b);
         b.bias_moments.clear();
       },
       {}},
      {"optimizer-state-inconsistent",
       "a count that was reset",
       [](auto& b) {
         as_adam(b);
         b.set(b.moments, "step", b.tensor({}, {0}));
       },
       {"error optimizer_states[0].state[0].step: 0, but exp_avg is not zero (1 of 2 parameters): the count "
        "was reset, and bias correction restarts"}},
      {"optimizer-state-inconsistent",
       "another library's count",
       [](auto& b) { b.set(b.moments, "step", b.integer(0)); },
       {"warning optimizer_states[0].state[0].step: 0, but exp_avg is not zero (1 of 2 parameters): the "
        "count was reset, or the optimizer does not use it"}},
      {"optimizer-state-inconsistent",
       "a negative count",
       [](auto& b) {
         as_adam(b);
         b.set(b.moments, "step", b.tensor({}, {-5}));
       },
       {"error optimizer_states[0].state[0].step: -5, but steps count from 0 (1 of 2 parameters)"}},
      {"optimizer-state-inconsistent",
       "no step was taken yet",
       [](auto& b) {
         b.set(b.moments, "step", b.tensor({}, {0}));
         b.set(b.moments, "exp_avg", b.tensor({2, 3}, std::vector<float>(6)));
         b.set(b.moments, "exp_avg_sq", b.tensor({2, 3}, std::vector<float>(6)));
       },
       {}},
      {"optimizer-state-inconsistent",
       "NaN is another rule's",
       [](auto& b) { b.set(b.moments, "step", b.tensor({}, {NAN})); },
       {}},
      {"optimizer-state-inconsistent",
       "a maximum that is none",
       [](auto& b) {
         as_adam(b);
         b.set(b.group, "amsgrad", b.boolean(true));
         b.set(b.moments, "max_exp_avg_sq", b.tensor({2, 3}, {1, 1, 1, 1, 1, 0.5F}));
         b.set(b.bias_moments, "max_exp_avg_sq", b.tensor({2}, {1, 2}));
       },
       {"error optimizer_states[0].state[0].max_exp_avg_sq: its smallest element 0.5 is below that of "
        "exp_avg_sq, 1.0 (1 of 2 parameters): it cannot be the maximum"}},
      {"optimizer-negative-second-moment",
       "Adafactor of torch",
       [](auto& b) {
         b.set(b.moments, "row_var", b.tensor({2, 1}, {1, -1}));
       },
       {"error optimizer_states[0].state[0].row_var: 1 negative of 2 elements, first at [1, 0]: a mean of "
        "squares is never negative"}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("settings that step() cannot calculate with") {
  const auto set = [](std::string key, auto make) {
    return [=](CheckpointBuilder& b) {
      as_adam(b);
      b.set(b.group, key, make(b));
    };
  };
  const Case cases[] = {
      {"optimizer-hyperparameter", "healthy", [](auto& b) { as_adam(b); }, {}},
      {"optimizer-hyperparameter",
       "a tensor",
       set("lr", [](auto& b) { return b.tensor({}, {-0.1F}); }),
       {"error optimizer_states[0].param_groups[0].lr: tensor(-0.1) is negative"}},
      {"optimizer-hyperparameter",
       "a tensor that is NaN",
       set("lr", [](auto& b) { return b.tensor({}, {NAN}); }),
       {"error optimizer_states[0].param_groups[0].lr: tensor(nan) is not a number"}},
      {"optimizer-hyperparameter",
       "text",
       set("lr", [](auto& b) { return b.text("1e-3"); }),
       {"error optimizer_states[0].param_groups[0].lr: expected a number, found \"1e-3\": the first step "
        "fails"}},
      {"optimizer-hyperparameter",
       "None",
       set("eps", [](auto& b) { return b.none(); }),
       {"error optimizer_states[0].param_groups[0].eps: expected a number, found None: the first step "
        "fails"}},
      {"optimizer-hyperparameter",
       "text in another library's group",
       [](auto& b) { b.set(b.group, "lr", b.text("1e-3")); },
       {"error optimizer_states[0].param_groups[0].lr: expected a number, found \"1e-3\": the first step "
        "fails"}},
      {"optimizer-hyperparameter",
       "absent",
       [](auto& b) {
         as_adam(b);
         b.remove(b.group, "lr");
       },
       {"error optimizer_states[0].param_groups[0].lr: missing, but Adam or AdamW needs it: the first step "
        "fails"}},
      {"optimizer-hyperparameter",
       "absent in another library's",
       [](auto& b) { b.remove(b.group, "lr"); },
       {}},
      {"optimizer-hyperparameter",
       "one beta",
       set("betas", [](auto& b) { return b.list({b.real(0.9)}); }),
       {"error optimizer_states[0].param_groups[0].betas: expected a pair of numbers, found a list of 1 "
        "item: the first step fails"}},
      {"optimizer-hyperparameter",
       "betas that changed places",
       set("betas",
           [](auto& b) {
             return b.list({b.real(0.999), b.real(0.9)});
           }),
       {"warning optimizer_states[0].param_groups[0].betas: (0.999, 0.9) is an unusual order: the mean of "
        "squares forgets faster than the mean"}},
      {"optimizer-hyperparameter",
       "a second beta of 1 in another library's",
       [](auto& b) {
         b.set(b.group, "betas", b.list({b.real(0.9), b.real(1)}));
       },
       {}},
      {"optimizer-hyperparameter",
       "momentum that grows",
       [](auto& b) { as_sgd(b, 2); },
       {"warning optimizer_states[0].param_groups[0].momentum: 2.0 is not below 1: velocity grows at every "
        "step"}},
      {"optimizer-hyperparameter",
       "RMSprop's alpha",
       [](auto& b) {
         as_sgd(b, 0);
         b.remove(b.group, "dampening");
         b.set(b.group, "eps", b.real(1e-8));
         b.set(b.group, "centered", b.boolean(false));
         b.set(b.group, "alpha", b.real(1.5));
       },
       {"error optimizer_states[0].param_groups[0].alpha: 1.5 is above 1: the mean of squares turns negative "
        "and the weights NaN"}},
      {"optimizer-hyperparameter",
       "another library's alpha and rho",
       [](auto& b) {
         b.set(b.group, "alpha", b.real(-1));
         b.set(b.group, "rho", b.real(-0.5));
       },
       {}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("the scaler is found by its fields under any key") {
  const auto with = [](const char* key, auto make) {
    return [=](CheckpointBuilder& b) {
      Fields fields = {{"scale", b.real(65536)},
                       {"growth_factor", b.real(2)},
                       {"backoff_factor", b.real(0.5)},
                       {"growth_interval", b.integer(2000)},
                       {"_growth_tracker", b.integer(5)}};
      b.set(fields, key, make(b));
      std::erase_if(fields, [](const auto& field) { return field.second == value::kNoNode; });
      b.set(b.root, "AnyPlugin", b.dict(fields));
    };
  };
  const auto real = [](double value) { return [=](CheckpointBuilder& b) { return b.real(value); }; };
  const Case cases[] = {
      {"precision-scaler-value", "healthy", with("scale", real(65536)), {}},
      {"precision-scaler-value",
       "zero",
       with("scale", real(0)),
       {"error AnyPlugin.scale: 0.0: every gradient becomes zero or changes its sign"}},
      {"precision-scaler-value",
       "nan",
       with("scale", real(kNan)),
       {"error AnyPlugin.scale: nan: the loss is multiplied by it, so every gradient is lost"}},
      {"precision-scaler-value",
       "tiny",
       with("scale", real(0.01)),
       {"warning AnyPlugin.scale: 0.01 is below 1.0: many steps in a row overflowed before this was saved"}},
      {"precision-scaler-value",
       "huge",
       with("scale", real(1e38)),
       {"warning AnyPlugin.scale: 1e+38 is above 1.8446744073709552e+19: gradients were zero for a long "
        "time, or the number is made up; the first steps overflow and are skipped"}},
      {"precision-scaler-value", "a tensor", with("scale", [](auto& b) { return b.tensor({}, {1024}); }), {}},
      {"precision-scaler-value",
       "a tensor of zero",
       with("scale", [](auto& b) { return b.tensor({}, {0}); }),
       {"error AnyPlugin.scale: tensor(0): every gradient becomes zero or changes its sign"}},
      {"precision-scaler-value",
       "a tensor of NaN",
       with("scale", [](auto& b) { return b.tensor({}, {NAN}); }),
       {"error AnyPlugin.scale: tensor(nan): the loss is multiplied by it, so every gradient is lost"}},
      {"precision-scaler-value",
       "text",
       with("scale", [](auto& b) { return b.text("65536"); }),
       {"error AnyPlugin.scale: expected a number, found \"65536\": GradScaler cannot use it"}},
      {"precision-scaler-value",
       "a field is lost",
       with("scale", [](auto&) { return value::kNoNode; }),
       {"error AnyPlugin.scale: missing: GradScaler raises KeyError 'scale' on load"}},
      {"precision-scaler-value",
       "a tracker beyond its interval, both ints",
       with("_growth_tracker", [](auto& b) { return b.integer(5000); }),
       {"warning AnyPlugin._growth_tracker: 5000 is above growth_interval, 2000"}},
      {"precision-scaler-value",
       "a negative tracker",
       with("_growth_tracker", [](auto& b) { return b.integer(-1); }),
       {"warning AnyPlugin._growth_tracker: -1 is negative, but it counts steps from 0"}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("optimizer rules give way to the rule that names the cause") {
  const auto nan_lr = [](auto& b) { b.set(b.group, "lr", b.tensor({}, {NAN})); };
  check_case({"optimizer-hyperparameter", "a NaN tensor", nan_lr, {}},
             {.with_rules = {"optimizer-nonfinite"}});

  const auto negative = [](auto& b) {
    as_adam(b);
    b.set(b.group, "amsgrad", b.boolean(true));
    b.set(b.moments, "max_exp_avg_sq", b.tensor({2, 3}, {1, 1, 1, 1, 1, -1}));
    b.set(b.bias_moments, "max_exp_avg_sq", b.tensor({2}, {1, 2}));
  };
  check_case(
      {"optimizer-state-inconsistent",
       "a negative maximum",
       negative,
       {"error optimizer_states[0].state[0].max_exp_avg_sq: its smallest element -1.0 is below that of "
        "exp_avg_sq, 1.0 (1 of 2 parameters): it cannot be the maximum"}});
  check_case({"optimizer-state-inconsistent", "a negative maximum", negative, {}},
             {.with_rules = {"optimizer-negative-second-moment"}});

  const auto moved = [](auto& b) {
    set_state(b, {{b.integer(10), b.dict(b.moments)}, {b.integer(11), b.dict(b.bias_moments)}});
  };
  check_case({"optimizer-param-gap",
              "no id in common",
              moved,
              {"warning optimizer_states[0].state[10]: no group has this id (2 of 2 states): torch keeps the "
               "state but never uses it"}});
  check_case({"optimizer-param-gap", "no id in common", moved, {}},
             {.with_rules = {"optimizer-state-empty"}});
}

TEST_CASE("what a state lacks matters only to those who resume") {
  const auto change = [](auto& b) {
    as_adam(b);
    b.remove(b.bias_moments, "exp_avg_sq");
    b.set(b.moments, "step", b.tensor({}, {0}));
  };
  for (const char* rule : {"optimizer-state-incomplete", "optimizer-state-inconsistent"}) {
    CAPTURE(rule);
    CheckpointBuilder b;
    change(b);
    const Opened opened = b.build();
    const auto noted = lint_with(rule, opened, {.profile = lint::Profile::kAny});
    REQUIRE(noted.size() == 1);
    CHECK(noted.front().level == report::Level::kNote);
    CHECK(lint_with(rule, opened, {.profile = lint::Profile::kInference}).empty());
  }
}
