// Rules about the settings of optimizers and the gradient scaler, and which optimizer rule speaks.
#include <doctest/doctest.h>

#include "tests/lint/checks/optimizer/states.h"

using namespace ckpt;
using namespace ckpt::test;

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
         for (const char* key : {"dampening", "nesterov"}) b.remove(b.group, key);
         b.set(b.group, "eps", b.real(1e-8));
         b.set(b.group, "centered", b.boolean(false));
         b.set(b.group, "alpha", b.real(1.5));
       },
       {"error optimizer_states[0].param_groups[0].alpha: 1.5 is above 1: the mean of squares turns negative "
        "and the weights NaN"}},
      {"optimizer-hyperparameter",
       "Sophia's rho is not Adadelta's",
       [](auto& b) {
         b.remove(b.group, "eps");
         for (const char* key : {"maximize", "capturable"}) b.set(b.group, key, b.boolean(false));
         b.set(b.group, "rho", b.real(0.04));
       },
       {}},
      {"optimizer-state-incomplete",
       "ADOPT is not Adamax",
       [](auto& b) {
         for (const char* key : {"decouple", "maximize", "capturable", "differentiable", "fused"})
           b.set(b.group, key, b.boolean(false));
         b.set(b.group, "foreach", b.none());
       },
       {}},
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
  check_case({"optimizer-moment-lost", "a negative maximum", negative, {}});

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
