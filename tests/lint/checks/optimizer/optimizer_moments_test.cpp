// Moments that no gradients lead to. The healthy limits are those that torch reaches.
#include <cmath>

#include "tests/lint/checks/optimizer/states.h"

using namespace ckpt;
using namespace ckpt::test;

namespace {

using Values = std::vector<float>;

// One parameter of [2] whose state has these tensors.
void set_parameter(CheckpointBuilder& b, double step,
                   std::initializer_list<std::pair<const char*, Values>> tensors) {
  Fields state;
  if (step >= 0) state.emplace_back("step", b.tensor({}, {static_cast<float>(step)}));
  for (const auto& [name, values] : tensors)
    state.emplace_back(
        name,
        b.tensor(values.size() == 1 ? std::vector<std::int64_t>{} : std::vector<std::int64_t>{2}, values));
  b.set(b.group, "params", b.list({b.integer(0)}));
  set_state(b, {{b.integer(0), b.dict(state)}});
}

auto adam(double step, const Values& first, const Values& second) {
  return [=](CheckpointBuilder& b) {
    as_adam(b);
    set_parameter(b, step, {{"exp_avg", first}, {"exp_avg_sq", second}});
  };
}

// K of the usual betas: 7.27.
constexpr const char* kLost =
    "which takes at least 4.73e-03 (1 of 2 elements; 1 of 1 parameter): it was lost, and the next step is "
    "far too large";

auto amsgrad(const Values& maximum) {
  return [=](CheckpointBuilder& b) {
    as_adam(b);
    b.set(b.group, "amsgrad", b.boolean(true));
    set_parameter(b, 8, {{"exp_avg", {0, 1}}, {"exp_avg_sq", {1, 1}}, {"max_exp_avg_sq", maximum}});
  };
}

void as_rmsprop(CheckpointBuilder& b) {
  b.remove(b.group, "betas");
  b.set(b.group, "alpha", b.real(0.99));
  b.set(b.group, "centered", b.boolean(true));
}

auto adagrad(const Values& sum) {
  return [=](CheckpointBuilder& b) {
    b.remove(b.group, "betas");
    b.set(b.group, "lr_decay", b.integer(0));
    b.set(b.group, "initial_accumulator_value", b.real(0.1));
    set_parameter(b, 8, {{"sum", sum}});
  };
}

auto nadam(double step, float product) {
  return [=](CheckpointBuilder& b) {
    b.set(b.group, "momentum_decay", b.real(0.004));
    set_parameter(b, step, {{"mu_product", {product}}, {"exp_avg", {0, 1}}, {"exp_avg_sq", {1, 1}}});
  };
}

}  // namespace

TEST_CASE("a second moment is never smaller than the first one allows") {
  const char* rule = "optimizer-moment-lost";
  const Case cases[] = {
      {rule, "healthy", adam(8, {0, 1}, {1, 1}), {}},
      {rule, "at the bound, both signs", adam(8, {-0.5F, 0.5F}, {0.00475F, 0.00475F}), {}},
      {rule, "within a factor of two", adam(8, {0.5F, 0}, {0.0013F, 1}), {}},
      {rule,
       "lost in one element",
       adam(8, {0.5F, 0}, {0, 1}),
       {std::string("error optimizer_states[0].state[0].exp_avg_sq: 0 where exp_avg is 0.5, ") + kLost}},
      {rule,
       "beyond a factor of two",
       adam(8, {0, -0.5F}, {1, 0.0011F}),
       {std::string("error optimizer_states[0].state[0].exp_avg_sq: 1.1e-03 where exp_avg is -0.5, ") +
        kLost}},
      {rule, "squares that underflow", adam(8, {1e-20F, 1e-25F}, {0, 0}), {}},
      {rule, "NaN and infinity are another rule's", adam(8, {0.5F, NAN}, {0, 1}), {}},
      {rule,
       "betas without a bound",
       [](auto& b) {
         b.set(b.group, "betas", b.list({b.real(0.99), b.real(0.9)}));
         adam(8, {0.5F, 0}, {1e-6F, 1})(b);
       },
       {}},
      {rule,
       "beta1 that a scheduler moves",
       [](auto& b) {
         b.set(b.group, "base_momentum", b.real(0.5));
         b.set(b.group, "max_momentum", b.real(0.95));
         adam(8, {0.5F, 0}, {0.0002F, 1})(b);
       },
       {}},
      {rule,
       "another library's optimizer",
       [](auto& b) {
         set_parameter(b, 8, {{"exp_avg", {0.5F, 0}}, {"exp_avg_sq", {0, 1}}});
       },
       {}},
      {rule, "the maximum of what is", amsgrad({1, 2}), {}},
      {rule,
       "a maximum that is none",
       amsgrad({2, 0.5F}),
       {"warning optimizer_states[0].state[0].max_exp_avg_sq: 0.5 where exp_avg_sq is 1 (1 of 2 elements; 1 "
        "of 1 "
        "parameter): a maximum is never below it, so they are of different checkpoints; torch takes the "
        "maximum "
        "again"}},
      {rule,
       "Adamax",
       [](auto& b) {
         for (const auto* key : {"maximize", "capturable", "differentiable"})
           b.set(b.group, key, b.boolean(false));
         set_parameter(b, 8, {{"exp_avg", {1, 1}}, {"exp_inf", {1, 0.25F}}});
       },
       {"error optimizer_states[0].state[0].exp_inf: 0.25 where exp_avg is 1, which takes at least 0.991 "
        "(1 of 2 "
        "elements; 1 of 1 parameter): it was lost, and the next step is far too large"}},
      {rule,
       "a centered RMSprop",
       [](auto& b) {
         as_rmsprop(b);
         set_parameter(b, 8, {{"square_avg", {1, 0.1F}}, {"grad_avg", {1, -1}}});
       },
       {"error optimizer_states[0].state[0].square_avg: 0.1 where grad_avg is -1, which takes at least 1 "
        "(1 of 2 "
        "elements; 1 of 1 parameter): it was lost, and the next step is far too large"}},
      {rule,
       "RMSprop with momentum, its squares lost",
       [](auto& b) {
         as_rmsprop(b);
         set_parameter(b, 8, {{"square_avg", {0, 0}}, {"momentum_buffer", {1, 0}}});
       },
       {"error optimizer_states[0].state[0].square_avg: all zero, but momentum_buffer is not (1 of 1 "
        "parameter): it was "
        "lost, and the next step is far too large"}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("other state of torch's optimizers follows from the steps") {
  const char* rule = "optimizer-moment-lost";
  const auto rprop = [](const Values& sizes) {
    return [=](CheckpointBuilder& b) {
      for (const char* key : {"betas", "eps"}) b.remove(b.group, key);
      b.set(b.group, "etas", b.list({b.real(0.5), b.real(1.2)}));
      b.set(b.group, "step_sizes", b.list({b.real(1e-6), b.integer(50)}));
      set_parameter(b, 8, {{"prev", {0, 1}}, {"step_size", sizes}});
    };
  };
  const Case cases[] = {
      {rule, "Adagrad's sum", adagrad({0.1F, 3}), {}},
      {rule,
       "a sum below its start",
       adagrad({0, 3}),
       {"error optimizer_states[0].state[0].sum: 0, but it starts at initial_accumulator_value, 0.1, and "
        "only grows "
        "(1 of 1 parameter)"}},
      {rule, "NAdam's product", nadam(3, 0.0916F), {}},
      {rule,
       "a product that was reset",
       nadam(3, 1),
       {"error optimizer_states[0].state[0].mu_product: 1, but 3 steps make it 9.12e-02 (1 of 1 "
        "parameter)"}},
      {rule, "Rprop's sizes", rprop({1e-6F, 50}), {}},
      {rule,
       "a size that is out of range",
       rprop({0, 50}),
       {"error optimizer_states[0].state[0].step_size: 0, but step_sizes keep it between 1e-06 and 50.0 (1 "
        "of 1 "
        "parameter)"}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("a first moment does not vanish in a few steps, nor all moments at once") {
  const char* rule = "optimizer-moment-lost";
  const Case cases[] = {
      {rule,
       "lost",
       adam(8, {0, 0}, {1, 1}),
       {"warning optimizer_states[0].state[0].exp_avg: all zero after 8 steps, but exp_avg_sq is not (1 of 1 "
        "parameter): momentum restarts at zero"}},
      {rule, "decayed without gradients", adam(2000, {0, 0}, {1, 1}), {}},
      {rule,
       "beta1 of 0: the last gradient alone",
       [](auto& b) {
         b.set(b.group, "betas", b.list({b.integer(0), b.real(0.99)}));
         adam(8, {0, 0}, {1, 1})(b);
       },
       {}},
      {rule,
       "all of them",
       adam(8, {0, 0}, {0, 0}),
       {"warning optimizer_states[0].state: every moment is zero (1 parameter): they were reset, or no "
        "gradient "
        "ever arrived"}},
      {rule, "before the first step", adam(0, {0, 0}, {0, 0}), {}},
      {rule,
       "buffers of SGD",
       [](auto& b) {
         as_sgd(b, 0.9);
         set_parameter(b, -1, {{"momentum_buffer", {0, 0}}});
       },
       {"warning optimizer_states[0].state: every moment is zero (1 parameter): they were reset, or no "
        "gradient "
        "ever arrived"}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("a step count of 1 does not hold the moments of more steps") {
  const char* rule = "optimizer-state-inconsistent";
  const auto moments = [](double step, const Values& second) { return adam(step, {0.1F, -0.2F}, second); };
  const auto steps = [&](int global_step) {
    return [=](CheckpointBuilder& b) {
      b.set(b.root, "global_step", b.integer(global_step));
      adam(4, {0, 1}, {1, 1})(b);
    };
  };
  const Case cases[] = {
      {rule,
       "one gradient",
       [&](auto& b) {
         b.set(b.root, "global_step", b.integer(1));
         moments(1, {0.001F, 0.004F})(b);
       },
       {}},
      {rule,
       "more",
       moments(1, {0.001F, 0.05F}),
       {"error optimizer_states[0].state[0].step: 1, but exp_avg and exp_avg_sq are not those of a single "
        "gradient (1 "
        "of 1 parameter): the count was reset, and bias correction restarts"}},
      {rule, "half of the steps were skipped", steps(8), {}},
      {rule,
       "most steps are gone",
       steps(9),
       {"warning optimizer_states[0].state[0].step: 4, the most of 1 parameter, but global_step is 9: the "
        "count was "
        "reset, or the optimizer was replaced or skipped steps"}},
      {rule,
       "a scaler skipped them",
       [&](auto& b) {
         steps(8)(b);
         scaler(b, b.real(2));
       },
       {}},
  };
  for (const auto& c : cases) check_case(c);
}
