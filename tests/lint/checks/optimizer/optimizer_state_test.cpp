// Rules about what the states of optimizers hold, and which weights they belong to.
#include <doctest/doctest.h>

#include "tests/lint/checks/optimizer/states.h"

using namespace ckpt;
using namespace ckpt::test;

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
       "momentum without buffers in one of two groups",
       [](auto& b) {
         as_sgd(b, 0.9);
         Fields other = b.group;
         b.set(b.group, "params", b.list({b.integer(0)}));
         b.set(other, "params", b.list({b.integer(1)}));
         const NodeId states = b.tree().add_dict();
         b.tree().set_items(states, std::vector<value::Item>{{b.integer(0), buffer(b, true)},
                                                             {b.integer(1), buffer(b, false)}});
         b.set(b.root, "optimizer_states",
               b.list({b.dict(
                   {{"state", states}, {"param_groups", b.list({b.dict(b.group), b.dict(other)})}})}));
       },
       {"error optimizer_states[0].state: momentum is set, but 1 state without momentum_buffer: momentum "
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
      {"optimizer-state-incomplete",
       "no step",
       [](auto& b) {
         as_adam(b);
         b.remove(b.moments, "step");
       },
       {"error optimizer_states[0].state[0].step: missing, but Adam or AdamW needs it (1 of 2 states): the "
        "first step raises KeyError 'step'"}},
      {"optimizer-param-gap",
       "ids in another order",
       [](auto& b) {
         b.set(b.group, "params", b.list({b.integer(1), b.integer(0)}));
       },
       {"error optimizer_states[0].param_groups: id 0 follows id 1: torch pairs ids with parameters in this "
        "order, so moments go to other parameters"}},
      {"optimizer-param-gap",
       "addresses of early versions of torch",
       [](auto& b) {
         const NodeId first = b.integer(140234000002048), second = b.integer(140234000001024);
         b.set(b.group, "params", b.list({first, second}));
         set_state(b, {{first, b.dict(b.moments)}, {second, b.dict(b.bias_moments)}});
       },
       {}},
      {"optimizer-param-gap",
       "ids with a gap, which still rise",
       [](auto& b) {
         b.set(b.group, "params", b.list({b.integer(0), b.integer(5)}));
         set_state(b, {{b.integer(0), b.dict(b.moments)}, {b.integer(5), b.dict(b.bias_moments)}});
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
       "Prodigy counts in its group",
       [](auto& b) {
         b.set(b.moments, "step", b.integer(0));
         b.set(b.group, "k", b.integer(8));
       },
       {}},
      {"optimizer-state-inconsistent",
       "more steps than the run",
       [](auto& b) {
         as_adam(b);
         b.set(b.moments, "step", b.tensor({}, {3200}));
       },
       {"warning optimizer_states[0].state[0].step: 3200, but global_step is 8: the state is of a longer "
        "run, "
        "and bias correction and schedules do not fit it"}},
      {"optimizer-state-inconsistent",
       "NaN is another rule's",
       [](auto& b) { b.set(b.moments, "step", b.tensor({}, {NAN})); },
       {}},
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
