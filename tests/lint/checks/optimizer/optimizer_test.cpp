// Rules about the states of optimizers and schedulers beyond "missing" and "not finite".
#include <doctest/doctest.h>

#include "tests/lint/checks/cases.h"

using namespace ckpt;
using namespace ckpt::test;
using value::kNoNode;

namespace {

report::Value texts(std::initializer_list<const char*> list) {
  report::List result;
  for (const auto* text : list) result.emplace_back(text);
  return result;
}

// An optimizer of its own, with `parameters` of shape [2] in one group.
value::NodeId sgd(CheckpointBuilder& b, int parameters) {
  const auto state = b.tree().add_dict();
  std::vector<value::Item> items;
  std::vector<value::NodeId> ids;
  for (int i = 0; i < parameters; ++i) {
    ids.push_back(b.integer(i));
    items.push_back({b.integer(i), b.dict({{"momentum_buffer", b.tensor({2}, {1, -1})}})});
  }
  b.tree().set_items(state, items);
  const auto group = b.dict({{"lr", b.real(0.1)},
                             {"momentum", b.real(0.9)},
                             {"dampening", b.integer(0)},
                             {"nesterov", b.boolean(false)},
                             {"params", b.list(ids)}});
  return b.dict({{"state", state}, {"param_groups", b.list({group})}});
}

value::NodeId ints(CheckpointBuilder& b, std::initializer_list<int> values) {
  std::vector<value::NodeId> ids;
  for (const int value : values) ids.push_back(b.integer(value));
  return b.list(ids);
}

value::NodeId reals(CheckpointBuilder& b, std::initializer_list<double> values) {
  std::vector<value::NodeId> ids;
  for (const double value : values) ids.push_back(b.real(value));
  return b.list(ids);
}

void set_last_epoch(CheckpointBuilder& b, int epoch) {
  b.set(b.scheduler, "last_epoch", b.integer(epoch));
  b.set(b.scheduler, "_step_count", b.integer(epoch + 1));
}

void one_cycle(CheckpointBuilder& b, int total) {
  b.set(b.scheduler, "total_steps", b.integer(total));
  set_last_epoch(b, 8);
}

void on_gpu(CheckpointBuilder& b, value::NodeId tensor) {
  b.file().storages[b.file().tensor_records[b.tree().payload(tensor)].view.storage].location = "cuda:0";
}

}  // namespace

TEST_CASE("rules about optimizers fire on one change and stay silent on healthy variants") {
  const Case cases[] = {
      {"optimizer-param-gap",
       "state without an id",
       [](auto& b) { b.set(b.group, "params", ints(b, {0})); },
       {"warning optimizer_states[0].state[1]: no group has this id (1 of 2 states): torch keeps the state "
        "but never uses it"}},
      {"optimizer-param-gap",
       "an id twice",
       [](auto& b) {
         b.set(b.group, "params", ints(b, {0, 1, 1}));
       },
       {"warning optimizer_states[0].param_groups: the groups list parameter 1 2 times: it would be stepped "
        "more than once"}},
      {"optimizer-param-gap",
       "a frozen or lost parameter",
       [](auto& b) {
         b.set(b.group, "params", ints(b, {0, 1, 2}));
       },
       {"note optimizer_states[0].state: 1 of 3 parameters without state (first id: 2): frozen or unused, or "
        "their state was lost"}},
      {"optimizer-param-gap",
       "no state at all has a rule of its own",
       [](auto& b) { b.with_optimizer_state = false; },
       {}},
      {"optimizer-param-gap",
       "what the optimizer keeps for itself (MADGRAD)",
       [](auto& b) {
         const auto state = b.tree().add_dict();
         b.tree().set_items(state, std::vector<value::Item>{{b.text("k"), b.tensor({1}, {8})},
                                                            {b.integer(0), b.dict(b.moments)},
                                                            {b.integer(1), b.dict(b.bias_moments)}});
         b.set(b.root, "optimizer_states",
               b.list({b.dict({{"state", state}, {"param_groups", b.list({b.dict(b.group)})}})}));
       },
       {}},
      {"optimizer-param-gap",
       "LBFGS",
       [](auto& b) {
         b.set(b.group, "params", ints(b, {0, 1, 2}));
         b.set(b.group, "line_search_fn", b.none());
       },
       {}},
      {"optimizer-param-count",
       "without state, more than the model has",
       [](auto& b) {
         b.with_optimizer_state = false;
         b.set(b.group, "params", ints(b, {0, 1, 2}));
       },
       {"warning optimizer_states[0].param_groups: 3 parameters, but the state_dict has 2 floating-point "
        "tensors: the optimizer belongs to another model"}},
      {"optimizer-param-count",
       "with state of an unknown kind",
       [](auto& b) {
         b.set(b.moments, "projection", b.integer(1));
         b.remove(b.weights, "net.bias");
       },
       {"warning optimizer_states[0].param_groups: 2 parameters with state, but the state_dict has 1 "
        "floating-point tensor: the optimizer belongs to another model"}},
      {"optimizer-param-count",
       "a frozen backbone that is in the optimizer and not in the file",
       [](auto& b) {
         b.set(b.moments, "projection", b.integer(1));
         b.set(b.group, "params", ints(b, {0, 1, 2}));
       },
       {"note optimizer_states[0].param_groups: 3 parameters, 2 with state, but the state_dict has 2 "
        "floating-point tensors: the file omits frozen weights, or the optimizer belongs to another model"}},
      {"optimizer-param-count",
       "moments that optimizer-state-shape compares",
       [](auto& b) { b.remove(b.weights, "net.bias"); },
       {}},
      {"optimizer-param-count", "fewer", [](auto& b) { b.set(b.group, "params", ints(b, {0})); }, {}},
      {"optimizer-negative-second-moment",
       "negative",
       [](auto& b) {
         b.set(b.moments, "exp_avg_sq", b.tensor({2, 3}, {1, 1, -1, 1, 1, 1}));
       },
       {"error optimizer_states[0].state[0].exp_avg_sq: 1 negative of 6 elements, first at [0, 2]: a mean of "
        "squares is never negative"}},
      {"optimizer-negative-second-moment",
       "first moments have both signs",
       [](auto& b) {
         b.set(b.moments, "exp_avg", b.tensor({2, 3}, {1, 1, -1, 1, 1, 1}));
       },
       {}},
      {"optimizer-lr-zero",
       "no scheduler",
       [](auto& b) {
         b.set(b.group, "lr", b.integer(0));
         b.set(b.root, "lr_schedulers", b.list({}));
       },
       {"warning optimizer_states[0].param_groups[0].lr: 0 in group 0 of 1, and no scheduler sets it"}},
      {"optimizer-lr-zero",
       "a scheduler that says otherwise",
       [](auto& b) { b.set(b.group, "lr", b.real(0)); },
       {"warning optimizer_states[0].param_groups[0].lr: 0.0 in group 0 of 1, but lr_schedulers[0]._last_lr "
        "is 0.001"}},
      {"optimizer-lr-zero",
       "the end of a schedule",
       [](auto& b) {
         b.set(b.group, "lr", b.real(0));
         b.set(b.scheduler, "_last_lr", reals(b, {0}));
       },
       {}},
      {"optimizer-lr-zero",
       "a scheduler that does not say",
       [](auto& b) {
         b.set(b.group, "lr", b.real(0));
         b.remove(b.scheduler, "_last_lr");
       },
       {}},
      {"optimizer-lr-zero",
       "SequentialLR says what the group has",
       [](auto& b) {
         b.set(b.group, "lr", b.real(0));
         b.set(b.scheduler, "_last_lr", reals(b, {0}));
         b.set(b.scheduler, "_schedulers", b.list({}));
       },
       {}},
      {"optimizer-lr-zero",
       "a tensor",
       [](auto& b) { b.set(b.group, "lr", b.tensor({}, {0})); },
       {"warning optimizer_states[0].param_groups[0].lr: tensor(0) in group 0 of 1, but "
        "lr_schedulers[0]._last_lr is 0.001"}},
      {"optimizer-lr-zero",
       "a frozen group beside one with state",
       [](auto& b) {
         b.set(b.group, "params", ints(b, {0, 1}));
         const auto frozen = b.dict({{"lr", b.real(0)}, {"params", ints(b, {2})}});
         const auto state = b.tree().add_dict();
         b.tree().set_items(state, std::vector<value::Item>{{b.integer(0), b.dict(b.moments)}});
         b.set(b.root, "optimizer_states",
               b.list({b.dict({{"state", state}, {"param_groups", b.list({frozen, b.dict(b.group)})}})}));
       },
       {}},
      {"optimizer-lr-zero",
       "before the first step",
       [](auto& b) {
         b.set(b.group, "lr", b.real(0));
         b.set(b.root, "global_step", b.integer(0));
       },
       {}},
      {"optimizer-step-count",
       "another run's optimizer",
       [](auto& b) { b.set(b.root, "global_step", b.integer(4)); },
       {"warning optimizer_states[0].state[0].step: 8, but global_step is 4 (2 of 2 parameters beyond it)"}},
      {"optimizer-step-count",
       "uneven steps",
       [](auto& b) { b.set(b.moments, "step", b.tensor({}, {2})); },
       {"note optimizer_states[0].state: steps range from 2 to 8 across 2 parameters: unfrozen later, unused "
        "in some steps, or partly reset"}},
      {"optimizer-step-count",
       "skipped steps",
       [](auto& b) {
         b.set(b.moments, "step", b.tensor({}, {7}));
         b.set(b.bias_moments, "step", b.integer(7));
       },
       {}},
      {"optimizer-step-device",
       "on the GPU",
       [](auto& b) { on_gpu(b, b.moments[0].second); },
       {"warning optimizer_states[0].state[0].step: on cuda:0, but capturable and fused are off (1 "
        "parameter): steps synchronize with the GPU, or fail with an assertion"}},
      {"optimizer-step-device",
       "capturable",
       [](auto& b) {
         on_gpu(b, b.moments[0].second);
         b.set(b.group, "capturable", b.boolean(true));
       },
       {}},
      {"optimizer-step-device",
       "fused",
       [](auto& b) {
         on_gpu(b, b.moments[0].second);
         b.set(b.group, "fused", b.boolean(true));
       },
       {}},
      {"optimizer-step-device",
       "ASGD, which keeps it there",
       [](auto& b) {
         on_gpu(b, b.moments[0].second);
         b.set(b.group, "lambd", b.real(1e-4));
         b.set(b.group, "t0", b.real(1e6));
       },
       {}},
      {"optimizer-step-device", "moments on the GPU", [](auto& b) { on_gpu(b, b.moments[1].second); }, {}},
      {"optimizer-dtype",
       "16-bit moments",
       [](auto& b) {
         for (const auto i : {1u, 2u})
           b.file().tensor_records[b.tree().payload(b.moments[i].second)].view.dtype =
               tensor::DType::kBFloat16;
       },
       {"note optimizer_states[0].state[0].exp_avg: bfloat16, but the weights are float32 (2 of 4 moments)"}},
      {"optimizer-dtype",
       "16-bit weights",
       [](auto& b) {
         b.file().tensor_records[b.tree().payload(b.weights[0].second)].view.dtype = tensor::DType::kFloat16;
       },
       {}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("the class of an optimizer is inferred from its fields and compared") {
  const LintRun adamw{.params = {{"expect", texts({"AdamW"})}}};
  const auto two = [](auto& b) { b.set(b.root, "optimizer_states", b.list({sgd(b, 2)})); };
  check_case({"optimizer-type", "SGD", two, {"error optimizer_states[0]: SGD, expected AdamW"}}, adamw);
  check_case({"optimizer-type", "SGD may be", two, {}}, {.params = {{"expect", texts({"adam", "sgd"})}}});
  const auto amsgrad = [](auto& b) { b.set(b.group, "amsgrad", b.boolean(false)); };
  check_case({"optimizer-type", "the file leaves it open", amsgrad, {}}, adamw);
  const auto decoupled = [&](bool value) {
    return [=](CheckpointBuilder& b) {
      amsgrad(b);
      b.set(b.group, "decoupled_weight_decay", b.boolean(value));
    };
  };
  check_case({"optimizer-type", "AdamW of torch 2.6", decoupled(true), {}}, adamw);
  check_case({"optimizer-type",
              "Adam of torch 2.6",
              decoupled(false),
              {"error optimizer_states[0]: Adam, expected AdamW"}},
             adamw);
}

TEST_CASE("the number of optimizers") {
  const auto nothing = [](auto&) {};
  check_case({"optimizer-count", "one", nothing, {}}, {.params = {{"min", 1.0}, {"max", 1.0}}});
  check_case({"optimizer-count",
              "one of two",
              nothing,
              {"error optimizer_states: 1 optimizer, less than the minimum of 2"}},
             {.params = {{"min", 2.0}}});
}

// The optimizer got a second group, and the scheduler has made a step since.
static void two_groups(CheckpointBuilder& b) {
  b.set(b.root, "optimizer_states",
        b.list(
            {b.dict({{"state", b.dict({})}, {"param_groups", b.list({b.dict(b.group), b.dict(b.group)})}})}));
  b.set(b.scheduler, "_last_lr", reals(b, {0.001, 0.001}));
}

static void as_lambda(CheckpointBuilder& b) {
  for (const char* key : {"gamma", "step_size"}) b.remove(b.scheduler, key);
  b.set(b.scheduler, "lr_lambdas", b.list({b.none()}));
}

TEST_CASE("rules about schedulers fire on one change and stay silent on healthy variants") {
  const Case cases[] = {
      {"scheduler-group-count",
       "too many base rates",
       [](auto& b) {
         b.set(b.scheduler, "base_lrs", reals(b, {0.1, 0.2}));
       },
       {"error lr_schedulers[0].base_lrs: 2 values for 1 parameter group: the scheduler was made for another "
        "optimizer"}},
      {"scheduler-group-count",
       "too many last rates",
       [](auto& b) {
         b.set(b.scheduler, "_last_lr", reals(b, {0.1, 0.2}));
       },
       {"error lr_schedulers[0]._last_lr: 2 values for 1 parameter group: the scheduler was made for another "
        "optimizer"}},
      {"scheduler-group-count",
       "groups added later, which StepLR follows",
       [](auto& b) { two_groups(b); },
       {}},
      {"scheduler-group-count",
       "groups added since its last step",
       [](auto& b) {
         two_groups(b);
         b.set(b.scheduler, "_last_lr", reals(b, {0.001}));
       },
       {}},
      {"scheduler-group-count",
       "groups added later, which LambdaLR does not follow",
       [](auto& b) {
         two_groups(b);
         as_lambda(b);
       },
       {"warning lr_schedulers[0].base_lrs: 1 value for 2 parameter groups: groups were added later, and "
        "this "
        "scheduler does not follow them: its next step raises ValueError (torch 2.13), or skips them (older "
        "versions)"}},
      {"scheduler-group-count",
       "LambdaLR of another optimizer",
       [](auto& b) {
         two_groups(b);
         as_lambda(b);
         b.set(b.scheduler, "_last_lr", reals(b, {0.001}));
       },
       {"error lr_schedulers[0].base_lrs: 1 value for 2 parameter groups: the scheduler was made for another "
        "optimizer"}},
      {"scheduler-group-count",
       "BackboneFinetuning adds groups",
       [](auto& b) {
         b.set(b.root, "optimizer_states",
               b.list({b.dict(
                   {{"state", b.dict({})}, {"param_groups", b.list({b.dict(b.group), b.dict(b.group)})}})}));
         b.set(b.scheduler, "_last_lr", reals(b, {0.001, 0.001}));
         b.set(b.root, "callbacks",
               b.dict({{"BackboneFinetuning", b.dict({{"internal_optimizer_metadata", b.dict({})}})}}));
       },
       {}},
      {"scheduler-group-count",
       "one of several optimizers fits",
       [](auto& b) {
         b.set(b.root, "optimizer_states",
               b.list({sgd(b, 1), b.dict({{"state", b.dict({})},
                                          {"param_groups", b.list({b.dict(b.group), b.dict(b.group)})}})}));
         b.set(b.scheduler, "base_lrs", reals(b, {0.001, 0.001}));
       },
       {}},
      {"scheduler-group-count",
       "none of such lists",
       [](auto& b) {
         b.remove(b.scheduler, "base_lrs");
         b.remove(b.scheduler, "_last_lr");
       },
       {}},
      {"scheduler-exhausted",
       "OneCycleLR at its end",
       [](auto& b) { one_cycle(b, 8); },
       {"note lr_schedulers[0].last_epoch: 8 of 8 total_steps: the schedule is complete, and OneCycleLR "
        "raises ValueError at the next step"}},
      {"scheduler-exhausted",
       "OneCycleLR where no step leads",
       [](auto& b) { one_cycle(b, 7); },
       {"warning lr_schedulers[0].last_epoch: 8 is beyond total_steps, 7, where OneCycleLR raises "
        "ValueError"}},
      {"scheduler-exhausted",
       "a cosine of no length",
       [](auto& b) { b.set(b.scheduler, "T_max", b.integer(0)); },
       {"error lr_schedulers[0].T_max: 0: CosineAnnealingLR divides by it and raises ZeroDivisionError at "
        "the next step"}},
      {"scheduler-exhausted", "OneCycleLR half-way", [](auto& b) { one_cycle(b, 16); }, {}},
      {"scheduler-exhausted",
       "a cosine that rises",
       [](auto& b) { b.set(b.scheduler, "T_max", b.integer(1)); },
       {"note lr_schedulers[0].last_epoch: 2 is beyond T_max, 1: the cosine rises again"}},
      {"scheduler-exhausted",
       "a cosine at its end",
       [](auto& b) { b.set(b.scheduler, "T_max", b.integer(2)); },
       {}},
      {"scheduler-exhausted",
       "a polynomial beyond its end",
       [](auto& b) {
         b.set(b.scheduler, "total_iters", b.integer(1));
         b.set(b.scheduler, "power", b.real(1));
       },
       {"warning lr_schedulers[0].last_epoch: 2 is beyond total_iters, 1: the learning rate stays at 0"}},
      {"scheduler-exhausted",
       "a linear warm-up passes its end",
       [](auto& b) { b.set(b.scheduler, "total_iters", b.integer(1)); },
       {}},
      {"scheduler-exhausted",
       "one inside of another",
       [](auto& b) {
         b.set(b.scheduler, "_schedulers",
               b.list({b.dict({{"T_max", b.integer(1)}, {"last_epoch", b.integer(3)}})}));
       },
       {"note lr_schedulers[0]._schedulers[0].last_epoch: 3 is beyond T_max, 1: the cosine rises again"}},
      {"scheduler-embeds-object",
       "a bound method",
       [](auto& b) {
         const auto object = b.call("torch.optim.lr_scheduler", "OneCycleLR", {});
         b.set(b.scheduler, "anneal_func", b.call("builtins", "getattr", {object, b.text("_annealing_cos")}));
       },
       {"warning lr_schedulers[0].anneal_func: method \"_annealing_cos\" bound to a "
        "torch.optim.lr_scheduler.OneCycleLR object: the file holds that object and everything it refers "
        "to"}},
      {"scheduler-embeds-object",
       "a function",
       [](auto& b) {
         b.set(b.scheduler, "anneal_func",
               b.call("builtins", "getattr",
                      {b.global("torch.optim.lr_scheduler", "OneCycleLR"), b.text("_annealing_cos")}));
       },
       {"warning lr_schedulers[0].anneal_func: function \"_annealing_cos\" of "
        "torch.optim.lr_scheduler.OneCycleLR"}},
      {"scheduler-embeds-object",
       "a callable object of LambdaLR",
       [](auto& b) { b.set(b.scheduler, "lr_lambdas", b.list({b.call("my.code", "Warmup", {})})); },
       {"warning lr_schedulers[0].lr_lambdas[0]: object of my.code.Warmup"}},
      {"scheduler-embeds-object",
       "functions that were not saved",
       [](auto& b) {
         b.set(b.scheduler, "lr_lambdas", b.list({b.none()}));
         b.set(b.scheduler, "_anneal_func_type", b.text("cos"));
       },
       {}},
      {"scheduler-embeds-object",
       "SWA's scheduler among the callbacks",
       [](auto& b) {
         b.set(b.root, "callbacks",
               b.dict({{"StochasticWeightAveraging",
                        b.dict({{"scheduler_state", b.dict({{"anneal_func", b.global("m", "f")}})}})}}));
       },
       {"warning callbacks.StochasticWeightAveraging.scheduler_state.anneal_func: function or class m.f"}},
      {"scheduler-step-count",
       "twice an epoch",
       [](auto& b) { set_last_epoch(b, 4); },
       {"note lr_schedulers[0].last_epoch: 4 is neither the number of epochs (1 to 2) nor of steps (8): "
        "stepped twice, or at a custom interval"}},
      {"scheduler-step-count",
       "once a step, off by one in mid-epoch",
       [](auto& b) { set_last_epoch(b, 7); },
       {}},
      {"scheduler-step-count",
       "before 1.6",
       [](auto& b) {
         b.set(b.root, "pytorch-lightning_version", b.text("1.5.10"));
         set_last_epoch(b, 0);
       },
       {}},
      {"scheduler-step-count",
       "half of global_step with two optimizers",
       [](auto& b) {
         b.set(b.root, "optimizer_states", b.list({sgd(b, 1), sgd(b, 1)}));
         set_last_epoch(b, 4);
       },
       {}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("the end of a schedule matters only to those who resume") {
  const Case end{
      "scheduler-exhausted",
      "any",
      [](auto& b) { one_cycle(b, 7); },
      {"note lr_schedulers[0].last_epoch: 8 is beyond total_steps, 7, where OneCycleLR raises ValueError"}};
  check_case(end, {.profile = lint::Profile::kAny});
  check_case({end.rule, "inference", end.change, {}}, {.profile = lint::Profile::kInference});
}
