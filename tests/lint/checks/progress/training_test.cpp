// Rules about training state: what each item loses, and files that have none.
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "tests/lint/checks/cases.h"

using namespace ckpt;
using namespace ckpt::test;
using value::kNoNode;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr float kNanF = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfF = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("a healthy checkpoint is silent under every rule of the catalogue that needs no configuration") {
  CheckpointBuilder b, again;
  const Opened opened = b.build(), base = again.build();
  for (const auto& rule : lint::load_catalog()) {
    if (rule.sets.empty() || rule.info.id == "callbacks-absolute-path")
      continue;  // Lightning always writes such paths
    const auto found = lines(lint_with(rule.info.id, opened, {.base = &base}));
    CAPTURE(rule.info.id);
    if (!found.empty()) CAPTURE(found.front());
    CHECK(found.empty());
  }
}

TEST_CASE("rules about training state fire on one change and stay silent on healthy variants") {
  // clang-format off
  const Case cases[] = {
      {"optimizer-state-missing", "key absent", [](auto& b) { b.set(b.root, "optimizer_states", kNoNode); },
       {"error optimizer_states: missing: training cannot resume from this file"}},
      {"optimizer-state-missing", "empty list", [](auto& b) { b.set(b.root, "optimizer_states", b.list({})); },
       {"error optimizer_states: empty: Lightning silently resumes with a fresh optimizer"}},
      {"optimizer-state-missing", "no optimizer, no steps",
       [](auto& b) { b.set(b.root, "optimizer_states", b.list({})); b.set(b.root, "global_step", b.integer(0)); }, {}},
      {"scheduler-state-missing", "empty list", [](auto& b) { b.set(b.root, "lr_schedulers", b.list({})); b.set(b.group, "initial_lr", b.real(0.1)); },
       {"error lr_schedulers: empty, but the parameter groups have initial_lr: a scheduler was in use and restarts"}},
      {"scheduler-state-missing", "empty list, and the rate has not moved", [](auto& b) { b.set(b.root, "lr_schedulers", b.list({})); },
       {"warning lr_schedulers: empty, but the parameter groups have initial_lr, still equal to lr: a scheduler was in use and restarts, or the optimizer sets it"}},
      {"scheduler-state-missing", "no key", [](auto& b) { b.set(b.root, "lr_schedulers", kNoNode); },
       {"error lr_schedulers: missing: Lightning raises KeyError on resume"}},
      {"scheduler-state-missing", "not a list", [](auto& b) { b.set(b.root, "lr_schedulers", b.integer(1)); },
       {"error lr_schedulers: expected a list, found 1"}},
      {"scheduler-state-missing", "None as a state", [](auto& b) { b.set(b.root, "lr_schedulers", b.list({b.none()})); },
       {"error lr_schedulers[0]: None: Lightning raises TypeError on resume"}},
      {"scheduler-state-missing", "an empty state", [](auto& b) { b.set(b.root, "lr_schedulers", b.list({b.dict({})})); },
       {"error lr_schedulers[0]: empty, but the parameter groups have initial_lr: a scheduler was in use and restarts"}},
      {"scheduler-state-missing", "an empty state among others",
       [](auto& b) { b.set(b.root, "lr_schedulers", b.list({b.dict(b.scheduler), b.dict({})})); }, {"warning lr_schedulers[1]: empty, but the parameter groups have initial_lr: a scheduler was in use and restarts"}},
      {"scheduler-state-missing", "no scheduler ever", [](auto& b) { b.set(b.root, "lr_schedulers", b.list({})); b.remove(b.group, "initial_lr"); }, {}},
      {"loops-missing", "no loops", [](auto& b) { b.set(b.root, "loops", kNoNode); },
       {"error loops: missing: training restarts at epoch 0 and step 0 with the old optimizer state"}},
      {"loops-missing", "no fit_loop", [](auto& b) { b.set(b.root, "loops", b.dict({})); }, {"error loops.fit_loop: missing: Lightning raises KeyError 'fit_loop' on resume"}},
      {"loops-missing", "loops of another type", [](auto& b) { b.set(b.root, "loops", b.list({})); }, {"error loops: expected a dict, found a list of 0 items"}},
      {"loops-missing", "before 1.6",
       [](auto& b) { b.set(b.root, "loops", kNoNode); b.set(b.root, "pytorch-lightning_version", b.text("1.5.10")); }, {}},
      {"loops-step-mismatch", "another step", [](auto& b) { b.set(b.root, "global_step", b.integer(999)); },
       {"error global_step: 999, but loops.fit_loop[\"epoch_loop.automatic_optimization.optim_progress\"].optimizer.step.total.completed is 8"}},
      {"loops-step-mismatch", "step 0, but steps were counted", [](auto& b) { b.set(b.root, "global_step", b.integer(0)); },
       {"error global_step: 0, but loops.fit_loop[\"epoch_loop.automatic_optimization.optim_progress\"].optimizer.step.total.completed is 8"}},
      {"loops-step-mismatch", "step 0, but steps were counted by hand",
       [](auto& b) { b.set(b.root, "global_step", b.integer(0)); b.set(b.steps, "completed", b.integer(0)); b.set(b.manual_steps, "completed", b.integer(8)); },
       {"error global_step: 0, but loops.fit_loop[\"epoch_loop.manual_optimization.optim_step_progress\"].total.completed is 8"}},
      {"loops-step-mismatch", "no step yet",
       [](auto& b) { b.set(b.root, "global_step", b.integer(0)); b.set(b.steps, "completed", b.integer(0)); }, {}},
      {"loops-step-mismatch", "both count after a change from automatic to manual",
       [](auto& b) { b.set(b.manual_steps, "completed", b.integer(3)); }, {}},
      {"loops-step-mismatch", "manual optimization",
       [](auto& b) { b.set(b.steps, "completed", b.integer(0)); b.set(b.manual_steps, "completed", b.integer(8)); }, {}},
      {"loops-step-mismatch", "before 1.6",
       [](auto& b) { b.set(b.root, "global_step", b.integer(9)); b.set(b.root, "pytorch-lightning_version", b.text("1.5.10")); }, {}},
      {"callbacks-score-nonfinite", "NaN score", [](auto& b) { b.set(b.saving, "best_model_score", b.tensor({}, {kNanF})); },
       {"error callbacks.ModelCheckpoint.best_model_score: NaN: comparisons with NaN are always false, so the score never changes again"}},
      {"callbacks-score-nonfinite", "NaN among the best", [](auto& b) { b.set(b.saving, "best_k_models", b.dict({{"/x/a.ckpt", b.real(kNan)}})); },
       {"error callbacks.ModelCheckpoint.best_k_models[\"/x/a.ckpt\"]: NaN: comparisons with NaN are always false, so the score never changes again"}},
      {"callbacks-score-nonfinite", "infinite after a measurement", [](auto& b) { b.set(b.stopping, "best_score", b.tensor({}, {kInfF})); },
       {"warning callbacks[\"EarlyStopping{'monitor': 'val_loss', 'mode': 'min'}\"].best_score: inf: the monitored metric was not finite"}},
      {"callbacks-score-nonfinite", "initial values",
       [](auto& b) {
         b.set(b.stopping, "best_score", b.tensor({}, {kInfF}));
         b.set(b.stopping, "wait_count", b.integer(0));
         b.set(b.saving, "kth_value", b.tensor({}, {kInfF}));
         b.set(b.saving, "kth_best_model_path", b.text(""));
       }, {}},
  };
  // clang-format on
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("rules about optimizers and schedulers fire on one change and stay silent on healthy variants") {
  // clang-format off
  const Case cases[] = {
      {"optimizer-state-empty", "a ZeRO shard", [](auto& b) { b.set(b.root, "optimizer_states", b.list({b.dict({})})); },
       {"error optimizer_states[0]: empty dict, as ZeroRedundancyOptimizer leaves on every rank but one: Lightning raises KeyError 'param_groups'"}},
      {"optimizer-state-empty", "configure_optimizers returned None, or a ZeRO shard without a scheduler",
       [](auto& b) { b.set(b.root, "optimizer_states", b.list({b.dict({})})); b.set(b.root, "lr_schedulers", b.list({})); },
       {"warning optimizer_states[0]: empty dict: configure_optimizers returned None, or ZeroRedundancyOptimizer left it on a rank (then Lightning raises KeyError 'param_groups')"}},
      {"optimizer-state-empty", "Adam without state", [](auto& b) { b.with_optimizer_state = false; },
       {"error optimizer_states[0].state: no state after 8 steps: moments and step counts restart at zero"}},
      {"optimizer-state-empty", "SGD without momentum",
       [](auto& b) { b.with_optimizer_state = false; b.set(b.group, "momentum", b.integer(0)); b.set(b.group, "dampening", b.integer(0)); }, {}},
      {"optimizer-state-empty", "SGD with momentum",
       [](auto& b) { b.with_optimizer_state = false; b.remove(b.group, "betas"); b.remove(b.group, "eps"); b.set(b.group, "momentum", b.real(0.9)); b.set(b.group, "dampening", b.integer(0)); b.set(b.group, "nesterov", b.boolean(false)); },
       {"error optimizer_states[0].state: no state after 8 steps: moments and step counts restart at zero"}},
      {"optimizer-state-empty", "before the first step", [](auto& b) { b.with_optimizer_state = false; b.set(b.root, "global_step", b.integer(0)); }, {}},
      {"optimizer-state-shape", "another model's moments",
       [](auto& b) { b.set(b.moments, "exp_avg", b.tensor({9, 4}, std::vector<float>(36))); b.set(b.moments, "exp_avg_sq", b.tensor({9, 4}, std::vector<float>(36))); },
       {"error optimizer_states[0].state[0].exp_avg: [9, 4] fits no remaining weight: the first step fails"}},
      {"optimizer-state-shape", "moments of one parameter differ", [](auto& b) { b.set(b.moments, "exp_avg_sq", b.tensor({3, 2}, {1, 1, 1, 1, 1, 1})); },
       {"error optimizer_states[0].state[0].exp_avg_sq: [3, 2], but exp_avg of the same parameter is [2, 3] (1 of 2 parameters)"}},
      {"optimizer-state-shape", "the wrong one of two is named", [](auto& b) { b.set(b.moments, "exp_avg", b.tensor({9, 4}, std::vector<float>(36))); },
       {"error optimizer_states[0].state[0].exp_avg: [9, 4], but exp_avg_sq of the same parameter is [2, 3] (1 of 2 parameters)"}},
      {"optimizer-state-shape", "ZeRO's placeholder has a rule of its own", [](auto& b) { b.set(b.weights, "net.weight", b.tensor({0}, {})); }, {}},
      {"optimizer-state-shape", "an optimizer with unknown state",
       [](auto& b) { b.set(b.moments, "exp_avg", b.tensor({9}, std::vector<float>(9))); b.set(b.moments, "old_dirs", b.list({})); }, {}},
      {"optimizer-state-shape", "a frozen weight", [](auto& b) { b.set(b.weights, "frozen.weight", b.tensor({7}, std::vector<float>(7))); }, {}},
      {"optimizer-nonfinite", "NaN in a moment", [](auto& b) { b.set(b.moments, "exp_avg", b.tensor({2, 3}, {0, kNanF, 0, 0, 0, 0})); },
       {"error optimizer_states[0].state[0].exp_avg: 1 NaN of 6 elements, first at [0, 1]"}},
      {"optimizer-hyperparameter", "NaN lr", [](auto& b) { b.set(b.group, "lr", b.real(kNan)); },
       {"error optimizer_states[0].param_groups[0].lr: nan is not a number"}},
      {"optimizer-hyperparameter", "beta of 1", [](auto& b) { b.set(b.group, "amsgrad", b.boolean(false)); b.set(b.group, "betas", b.list({b.real(0.9), b.integer(1)})); },
       {"error optimizer_states[0].param_groups[0].betas[1]: 1 is not below 1"}},
      {"optimizer-hyperparameter", "negative decay", [](auto& b) { b.set(b.group, "weight_decay", b.real(-0.1)); },
       {"error optimizer_states[0].param_groups[0].weight_decay: -0.1 is negative"}},
      {"optimizer-hyperparameter", "Adafactor's None", [](auto& b) { b.set(b.group, "lr", b.none()); }, {}},
      {"scheduler-lr-drift", "another lr", [](auto& b) { b.set(b.scheduler, "_last_lr", b.list({b.real(0.0005)})); },
       {"warning lr_schedulers[0]._last_lr: 0.0005, but optimizer_states[0].param_groups[0].lr is 0.001: only one of them was set, or a manual warm-up moves it"}},
      {"scheduler-lr-drift", "other group count", [](auto& b) { b.set(b.scheduler, "_last_lr", b.list({b.real(1), b.real(2)})); }, {}},
      {"scheduler-lr-drift", "no _last_lr", [](auto& b) { b.remove(b.scheduler, "_last_lr"); }, {}},
  };
  // clang-format on
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("missing training state follows the profile") {
  const auto missing = [](auto& b) { b.set(b.root, "optimizer_states", kNoNode); };
  const std::string text = " optimizer_states: missing: training cannot resume from this file";
  check_case({"optimizer-state-missing", "resume", missing, {"error" + text}});
  check_case({"optimizer-state-missing", "any", missing, {"note" + text}}, {.profile = lint::Profile::kAny});
  check_case({"optimizer-state-missing", "inference", missing, {}}, {.profile = lint::Profile::kInference});
}

TEST_CASE("a file saved with save_weights_only has one finding about resuming, not three") {
  CheckpointBuilder b;
  for (const auto key : {"optimizer_states", "lr_schedulers", "callbacks", "loops"})
    b.set(b.root, key, kNoNode);
  const Opened opened = b.build();
  CHECK(lines(lint_with("optimizer-state-missing", opened)) ==
        std::vector<std::string>{"error optimizer_states: missing, like lr_schedulers and callbacks "
                                 "(save_weights_only=True): training "
                                 "cannot resume from this file"});
  CHECK(lint_with("scheduler-state-missing", opened).empty());
  CHECK(lint_with("loops-missing", opened).empty());
}

TEST_CASE("a plain PyTorch file is named as such, and Lightning's rules do not apply") {
  CheckpointBuilder b;
  for (const auto key : {"epoch", "global_step", "pytorch-lightning_version", "optimizer_states",
                         "lr_schedulers", "callbacks", "loops", "hyper_parameters", "hparams_name"})
    b.set(b.root, key, kNoNode);
  const Opened opened = b.build();
  CHECK(lines(lint_with("structure-missing-key", opened)) ==
        std::vector<std::string>{"note : PyTorch checkpoint (no Trainer state), not a Trainer file: rules "
                                 "about Lightning's training "
                                 "state do not apply, and Trainer.fit(ckpt_path=...) cannot resume from it"});
  CHECK(lint_with("structure-missing-key", opened, {.profile = lint::Profile::kInference}).empty());
  for (const auto rule :
       {"optimizer-state-missing", "scheduler-state-missing", "loops-missing", "hparams-missing"}) {
    CAPTURE(rule);
    CHECK(lint_with(rule, opened).empty());
  }
}

TEST_CASE("a version that is missing is reported once, by whichever of two rules is on") {
  const auto no_version = [](auto& b) { b.set(b.root, "pytorch-lightning_version", kNoNode); };
  check_case(
      {"structure-version-invalid",
       "alone",
       no_version,
       {"error [\"pytorch-lightning_version\"]: missing or not a string: the version cannot be checked"}});
  check_case({"structure-version-invalid", "after the other", no_version, {}},
             {.with_rules = {"structure-missing-key"}});
}

TEST_CASE("a key that Lightning needs is missing or of another type") {
  check_case(
      {"structure-missing-key",
       "no version",
       [](auto& b) { b.set(b.root, "pytorch-lightning_version", kNoNode); },
       {"error [\"pytorch-lightning_version\"]: missing: Lightning 1.9 and later raise KeyError on load"}});
  check_case({"structure-missing-key",
              "a text as epoch",
              [](auto& b) { b.set(b.root, "epoch", b.text("1")); },
              {"error epoch: expected int, found \"1\""}});
  check_case({"structure-missing-key",
              "no weights",
              [](auto& b) { b.set(b.root, "state_dict", kNoNode); },
              {"error state_dict: missing: there are no weights to load"}});
  check_case({"structure-missing-key",
              "no epoch",
              [](auto& b) { b.set(b.root, "epoch", kNoNode); },
              {"error epoch: missing: migrations and loggers need it"}});
}
