// Rules that compare a checkpoint with a base.
#include <limits>

#include <doctest/doctest.h>

#include "tests/lint/checks/support.h"

using namespace ckpt;
using namespace ckpt::test;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
using Lines = std::vector<std::string>;

// What the rule finds in `now` against `old`, after both were changed.
Lines against(const char* rule, CheckpointBuilder& old, CheckpointBuilder& now, LintRun with = {}) {
  const Opened base = old.build(), input = now.build();
  with.base = &base;
  return lines(lint_with(rule, input, with));
}

// A checkpoint that was trained on: more steps, other weights.
void train(CheckpointBuilder& b) {
  b.set(b.root, "global_step", b.integer(12));
  b.set(b.weights, "net.weight", b.tensor({2, 3}, {2, 3, 4, 5, 6, 7}));
  b.set(b.weights, "net.bias", b.tensor({2}, {1, 1}));
}

value::NodeId scaler(CheckpointBuilder& b) {
  return b.dict({{"scale", b.real(1024)},
                 {"growth_factor", b.real(2)},
                 {"backoff_factor", b.real(0.5)},
                 {"growth_interval", b.integer(2000)}});
}

}  // namespace

TEST_CASE("another dtype is told once a weight, or once for many") {
  CheckpointBuilder old, now, cast;
  now.set(now.weights, "_orig_mod.net.weight", now.tensor({2, 3}, {1, 2, 3, 4, 5, 6}));
  now.remove(now.weights, "net.weight");
  now.file().tensor_records.back().view.dtype = tensor::DType::kInt32;
  CHECK(against("cross-dtype-changed", old, now) ==
        Lines{"error state_dict[\"_orig_mod.net.weight\"]: int32, but float32 in the base, a different kind "
              "of number"});
  CHECK(against("cross-dtype-changed", old, now, {.params = {{"show", std::int64_t{0}}}}) ==
        Lines{"error state_dict: 1 weight: int32, but float32 in the base, a different kind of number; first "
              "_orig_mod.net.weight"});
  CHECK(against("cross-dtype-changed", old, old).empty());
  cast.set(cast.weights, "net.bias", cast.tensor({2}, {0.5F, -0.5F}));
  cast.file().tensor_records.back().view.dtype = tensor::DType::kBFloat16;
  CHECK(against("cross-dtype-changed", old, cast) ==
        Lines{"warning state_dict[\"net.bias\"]: bfloat16, but float32 in the base"});
}

TEST_CASE("another optimizer, other groups and other parameters are told, missing state is not") {
  CheckpointBuilder old, same, sgd, fewer, grouped, none;
  CHECK(against("cross-optimizer-changed", old, same).empty());
  sgd.remove(sgd.group, "betas");
  sgd.set(sgd.group, "momentum", sgd.real(0.9));
  CHECK(against("cross-optimizer-changed", old, sgd) ==
        Lines{"error optimizer_states[0].param_groups: Trainer.fit(ckpt_path=...) raises KeyError: 'betas' "
              "in the "
              "first step: the groups lack it"});
  fewer.set(fewer.group, "params", fewer.list({fewer.integer(0)}));
  CHECK(
      against("cross-optimizer-changed", old, fewer) ==
      Lines{
          "error optimizer_states[0].param_groups: Trainer.fit(ckpt_path=...) raises ValueError: group sizes "
          "differ from the base"});
  none.set(none.root, "optimizer_states", value::kNoNode);
  CHECK(against("cross-optimizer-changed", old, none) ==
        Lines{"error optimizer_states: Trainer.fit(ckpt_path=...) raises KeyError: the file has only the "
              "model"});
  CHECK(against("cross-optimizer-changed", old, none, {.with_rules = {"optimizer-state-missing"}}).empty());
  CHECK(against("cross-optimizer-changed", none, old).empty());
  const auto group = [&] {
    return grouped.dict({{"betas", grouped.none()}, {"params", grouped.list({grouped.integer(0)})}});
  };
  grouped.set(grouped.root, "optimizer_states",
              grouped.list({grouped.dict(
                  {{"state", grouped.dict({})}, {"param_groups", grouped.list({group(), group()})}})}));
  CHECK(
      against("cross-optimizer-changed", old, grouped) ==
      Lines{
          "error optimizer_states[0].param_groups: Trainer.fit(ckpt_path=...) raises ValueError: group sizes "
          "differ from the base",
          "error optimizer_states[0].state: no state: Trainer.fit(ckpt_path=...) silently resumes with "
          "moments of "
          "zero"});
  grouped.set(grouped.root, "callbacks",
              grouped.dict({{"BackboneFinetuning",
                             grouped.dict({{"internal_optimizer_metadata", grouped.dict({})}})}}));
  CHECK(
      against("cross-optimizer-changed", old,
              grouped) ==  // the callback has nothing to rebuild the groups from
      Lines{
          "error optimizer_states[0].param_groups: Trainer.fit(ckpt_path=...) raises ValueError: group sizes "
          "differ from the base",
          "error optimizer_states[0].state: no state: Trainer.fit(ckpt_path=...) silently resumes with "
          "moments of "
          "zero"});
}

TEST_CASE("settings and kind of a scheduler are compared, progress is not") {
  CheckpointBuilder old, now, other;
  now.set(now.scheduler, "last_epoch", now.integer(7));
  now.set(now.scheduler, "_last_lr", now.list({now.real(1e-5)}));
  now.set(now.scheduler, "verbose", now.boolean(false));
  CHECK(against("cross-scheduler-changed", old, now).empty());
  now.set(now.scheduler, "base_lrs", now.list({now.real(0.1)}));
  CHECK(against("cross-scheduler-changed", old, now) ==
        Lines{"warning lr_schedulers[0].base_lrs[0]: 0.001 in the base, now 0.1"});
  other.set(other.scheduler, "T_max", other.integer(10));
  CHECK(against("cross-scheduler-changed", old, other) ==
        Lines{"error lr_schedulers[0]: state of CosineAnnealingLR, not of StepLR: Trainer.fit(ckpt_path=...) "
              "silently "
              "loads it: StepLR continues from the position of CosineAnnealingLR, takes gamma, step_size "
              "from the "
              "other"});
}

TEST_CASE("milestones are compared as settings, functions of a schedule are not") {
  CheckpointBuilder old, now;
  const auto milestones = [](CheckpointBuilder& b, const char* at) {
    b.set(b.scheduler, "milestones", b.dict({{at, b.integer(1)}}));
    b.set(b.scheduler, "lr_lambdas", b.list({b.call("my.schedules", at, {})}));
  };
  milestones(old, "30");
  milestones(now, "60");
  CHECK(against("cross-scheduler-changed", old, now) ==
        Lines{"warning lr_schedulers[0].milestones[\"30\"]: 1 in the base, now absent",
              "warning lr_schedulers[0].milestones[\"60\"]: absent in the base, now 1"});
  milestones(now, "30");
  CHECK(against("cross-scheduler-changed", old, now).empty());
}

TEST_CASE("schedulers within a scheduler are compared, too") {
  CheckpointBuilder old, now;
  const auto inner = [](CheckpointBuilder& b, int steps) {
    b.set(b.scheduler, "_schedulers",
          b.list({b.dict({{"total_iters", b.integer(5)}}), b.dict({{"T_max", b.integer(steps)}})}));
  };
  inner(old, 10);
  inner(now, 20);
  CHECK(against("cross-scheduler-changed", old, now) ==
        Lines{"warning lr_schedulers[0]._schedulers[1].T_max: 10 in the base, now 20"});
}

TEST_CASE("a callback's key must not change, other than as Lightning migrates it") {
  CheckpointBuilder old, now;
  const auto saver = [](CheckpointBuilder& b, const char* key) {
    b.set(b.root, "callbacks", b.dict({{key, b.dict({})}}));
  };
  saver(old, "ModelCheckpoint{'monitor': 'val_loss', 'mode': 'min', 'save_on_train_epoch_end': True}");
  saver(now, "ModelCheckpoint{'monitor': 'val_loss', 'mode': 'min'}");
  old.set(old.root, "pytorch-lightning_version", old.text("1.8.6"));
  CHECK(against("cross-callback-key-changed", old, now).empty());
  saver(old, "ModelCheckpoint{'monitor': 'val_loss', 'mode': 'min'}");
  saver(now, "ModelCheckpoint{'monitor': 'val_acc', 'mode': 'max'}");
  CHECK(against("cross-callback-key-changed", old, now) ==
        Lines{"error callbacks[\"ModelCheckpoint{'monitor': 'val_acc', 'mode': 'max'}\"]: "
              "callbacks[\"ModelCheckpoint{'monitor': 'val_loss', 'mode': 'min'}\"] in the base: "
              "Trainer.fit(ckpt_path=...) looks for the base's callback key and does not restore the state"});
  saver(now, "Timer");
  CHECK(against("cross-callback-key-changed", old, now).empty());
}

TEST_CASE("a scaler that came or went, or has a key that is not read, is told") {
  CheckpointBuilder old, now, weights;
  old.set(old.root, "MixedPrecision", scaler(old));
  CHECK(
      against("cross-precision-changed", old, now) ==
      Lines{"error MixedPrecision: Trainer.fit(ckpt_path=...) silently starts with a fresh gradient scaler"});
  CHECK(against("cross-precision-changed", now, old) ==
        Lines{"warning MixedPrecision: a gradient scaler with scale 1024.0, none in the base"});
  now.set(now.root, "NativeMixedPrecisionPlugin", scaler(now));
  CHECK(against("cross-precision-changed", old, now) ==
        Lines{"error NativeMixedPrecisionPlugin: MixedPrecision in the base: Trainer.fit(ckpt_path=...) "
              "looks for "
              "MixedPrecision only and silently starts with a fresh gradient scaler"});
  weights.set(weights.root, "optimizer_states", value::kNoNode);
  CHECK(against("cross-precision-changed", weights, old).empty());
}

TEST_CASE("an older Lightning than the base's is told") {
  CheckpointBuilder old, now;
  now.set(now.root, "pytorch-lightning_version", now.text("2.6.4"));
  CHECK(against("cross-version-downgrade", old, now) ==
        Lines{"warning [\"pytorch-lightning_version\"]: 2.6.4, but 2.6.5 in the base"});
  CHECK(against("cross-version-downgrade", now, old).empty());
  now.set(now.root, "pytorch-lightning_version", now.text("2.6.5.post0"));
  CHECK(against("cross-version-downgrade", now, old).empty());
}

TEST_CASE("steps without a change of any weight are told, whatever the counters do") {
  CheckpointBuilder old, now;
  CHECK(against("cross-weights-identical", old, now).empty());  // no steps
  now.set(now.root, "global_step", now.integer(12));
  now.set(now.weights, "norm.num_batches_tracked", now.integers({}, {12}));
  CHECK(against("cross-weights-identical", old, now) ==
        Lines{"warning state_dict: all of 2 floating-point weights equal to the base, although "
              "global_step went from 8 to 12"});
  CHECK(against("cross-trainable-unchanged", old, now).empty());  // one finding is enough
  now.set(now.weights, "net.bias", now.tensor({2}, {0.5F, -0.25F}));
  CHECK(against("cross-weights-identical", old, now).empty());
  CheckpointBuilder before;  // batches there, steps of all optimizers here
  before.set(before.root, "pytorch-lightning_version", before.text("1.5.10"));
  CheckpointBuilder after;
  after.set(after.root, "global_step", after.integer(16));
  CHECK(against("cross-weights-identical", before, after).empty());
}

TEST_CASE("a trained weight that did not move is told, a frozen one and a bias are not") {
  CheckpointBuilder old, now;
  train(now);
  CHECK(against("cross-trainable-unchanged", old, now).empty());
  now.set(now.weights, "net.weight", now.tensor({2, 3}, {1, 2, 3, 4, 5, 6}));
  CHECK(
      against("cross-trainable-unchanged", old, now) ==
      Lines{"warning state_dict[\"net.weight\"]: equal to the base, although global_step went from 8 to 12"});
  // The order tells that another weight of that shape has no state: it is frozen.
  old.set(old.weights, "frozen.weight", old.tensor({2, 3}, {1, 1, 1, 1, 1, 1}));
  now.set(now.weights, "frozen.weight", now.tensor({2, 3}, {1, 1, 1, 1, 1, 1}));
  CHECK(against("cross-trainable-unchanged", old, now).size() == 1);
  CheckpointBuilder bias;
  train(bias);
  bias.set(bias.weights, "net.bias", bias.tensor({2}, {0.5F, -0.5F}));
  CheckpointBuilder base;
  CHECK(against("cross-trainable-unchanged", base, bias).empty());
  CHECK(
      against("cross-trainable-unchanged", base, bias, {.params = {{"min-dims", std::int64_t{1}}}}).size() ==
      1);
}

TEST_CASE("limits on how far weights move hold for each of them") {
  CheckpointBuilder old, now;
  train(now);
  CHECK(against("cross-delta-limit", old, now, {.params = {{"max-abs", 1.0}}}) ==
        Lines{"error state_dict[\"net.bias\"]: largest difference 1.5 (limit 1.0)"});
  CHECK(against("cross-delta-limit", old, now, {.params = {{"max-abs", 1.5}}}).empty());
}

TEST_CASE(
    "running statistics that moved far are told in units of the layer, those that came or went are not") {
  CheckpointBuilder old, now;
  old.set(old.weights, "norm.running_mean",
          old.tensor({2}, {0.01F, 0}));  // near 0: relative to itself, anything is far
  old.set(old.weights, "norm.running_var", old.tensor({2}, {4, 4}));
  old.set(old.weights, "gone.running_var", old.tensor({2}, {1, 1}));
  now.set(now.weights, "norm.running_mean", now.tensor({2}, {1.01F, 1}));
  now.set(now.weights, "norm.running_var", now.tensor({2}, {6, 4}));
  now.set(now.weights, "new.running_var", now.tensor({2}, {9, 9}));
  CHECK(against("cross-bn-drift", old, now).empty());
  CHECK(against("cross-bn-drift", old, now, {.params = {{"max-mean-shift", 0.25}}}) ==
        Lines{"note state_dict[\"norm.running_mean\"]: moved by 0.5 standard deviations of the base (limit "
              "0.25)"});
  now.set(now.weights, "norm.running_var", now.tensor({2}, {4, 20}));
  CHECK(against("cross-bn-drift", old, now) ==
        Lines{"note state_dict[\"norm.running_var\"]: moved by 2.83 times its length (limit 1.0)"});
}

TEST_CASE("sections that grew are told, new ones and small growth are not") {
  CheckpointBuilder old, now;
  const LintRun small{.params = {{"min-bytes", std::int64_t{16}}}};
  now.set(now.weights, "net.cache", now.tensor({64}, std::vector<float>(64, 1)));
  now.set(now.root, "current_model_state",
          now.dict({{"net.weight", now.tensor({64}, std::vector<float>(64, 1))}}));
  CHECK(against("cross-size-growth", old, now, small) ==
        Lines{"warning : weights: 296 B, but 40 B in the base"});
  CHECK(against("cross-size-growth", old, now).empty());
  CHECK(against("cross-size-growth", old, now, {.params = {{"min-bytes", std::int64_t{16}}, {"ratio", 10.0}}})
            .empty());
}

TEST_CASE("ties that came or went are told") {
  CheckpointBuilder tied, loose;
  const auto shared = tied.tensor({2}, {1, 2});
  tied.set(tied.weights, "embed.weight", shared);
  tied.set(tied.weights, "head.weight", shared);
  loose.set(loose.weights, "embed.weight", loose.tensor({2}, {1, 2}));
  loose.set(loose.weights, "head.weight", loose.tensor({2}, {1, 2}));
  CHECK(
      against("cross-tie-changed", tied, loose) ==
      Lines{
          "warning state_dict[\"embed.weight\"]: separate tensors, but in the base one tensor: embed.weight, "
          "head.weight"});
  CHECK(against("cross-tie-changed", loose, tied) ==
        Lines{"warning state_dict[\"embed.weight\"]: one tensor: embed.weight, head.weight, but in the base "
              "separate tensors"});
  CHECK(against("cross-tie-changed", tied, tied).empty());
  loose.remove(loose.weights, "head.weight");
  CHECK(against("cross-tie-changed", tied, loose).empty());
}

TEST_CASE("a worse best score is told by the callback's mode") {
  CheckpointBuilder old, now;
  now.set(now.stopping, "best_score", now.tensor({}, {0.5F}));
  CHECK(against("cross-best-score-worse", old, now) ==
        Lines{"error callbacks[\"EarlyStopping{'monitor': 'val_loss', 'mode': 'min'}\"].best_score: 0.5, but "
              "0.25 in the base (mode min)"});
  CHECK(against("cross-best-score-worse", now, old).empty());
  CHECK(against("cross-best-score-worse", old, now, {.params = {{"tolerance", 0.3}}}).empty());
  now.set(now.stopping, "best_score", now.tensor({}, {kInf}));  // nothing was measured yet
  CHECK(against("cross-best-score-worse", old, now).empty());
  now.set(now.saving, "best_model_score", now.tensor({}, {0.5F}));  // its key does not tell the mode
  CHECK(against("cross-best-score-worse", old, now).empty());
  CHECK(against("cross-best-score-worse", old, now, {.params = {{"mode", std::string("min")}}}).size() == 1);
}

TEST_CASE("datamodule hyperparameters that an old Lightning did not write are no change") {
  CheckpointBuilder old, now;
  now.set(now.root, "datamodule_hyper_parameters", now.dict({{"batch_size", now.integer(16)}}));
  CHECK(against("cross-hparam-changed", old, now) ==
        Lines{"warning datamodule_hyper_parameters.batch_size: 16, not in the base"});
  old.set(old.root, "pytorch-lightning_version", old.text("1.6.5"));
  CHECK(against("cross-hparam-changed", old, now).empty());
}

TEST_CASE("a value must change as the rule says") {
  CheckpointBuilder old, now;
  CHECK(against("cross-value-change", old, old) ==
        Lines{"error global_step: 8 in the base, now 8; must be increased"});
  now.set(now.root, "global_step", now.integer(9));
  CHECK(against("cross-value-change", old, now).empty());
  CHECK(against("cross-value-change", now, old) ==
        Lines{"error global_step: 9 in the base, now 8; must be increased"});
}

TEST_CASE("renamed weights are told once a weight, or once for all that were renamed alike") {
  CheckpointBuilder old, now;
  for (auto& [name, node] : now.weights) name = "module." + name;
  CHECK(against("cross-key-removed", old, now).empty());
  CHECK(against("cross-key-added", old, now).empty());
  CHECK(against("cross-key-renamed", old, now, {.params = {{"show", std::int64_t{0}}}}) ==
        Lines{"error state_dict: 3 weights renamed (prefix `module.` added), first module.net.weight, "
              "net.weight in the base: "
              "load_state_dict(strict=True) raises"});
  CHECK(against("cross-key-renamed", old, old).empty());
}

TEST_CASE("what breaks resuming is silent for inference, and a note where the profile leaves it open") {
  CheckpointBuilder old, now;
  old.set(old.root, "MixedPrecision", scaler(old));
  CHECK(against("cross-precision-changed", old, now, {.profile = lint::Profile::kInference}).empty());
  CHECK(
      against("cross-precision-changed", old, now, {.profile = lint::Profile::kAny}) ==
      Lines{"note MixedPrecision: Trainer.fit(ckpt_path=...) silently starts with a fresh gradient scaler"});
}

TEST_CASE("each callback without state is told, and one of them can be ignored") {
  CheckpointBuilder old, now;
  old.set(
      old.root, "callbacks",
      old.dict({{"Timer", old.dict({{"a", old.integer(1)}})}, {"Meter", old.dict({{"b", old.integer(1)}})}}));
  now.set(now.root, "callbacks", now.dict({}));
  CHECK(
      against("cross-callback-missing", old, now) ==
      Lines{
          "error callbacks.Meter: Trainer.fit(ckpt_path=...) starts Meter over: the file has no state for it",
          "error callbacks.Timer: Trainer.fit(ckpt_path=...) starts Timer over: the file has no state for "
          "it"});
  CHECK(against("cross-callback-missing", old, old).empty());
}

TEST_CASE("a datamodule whose state resuming does not find is told") {
  CheckpointBuilder old, renamed, none;
  old.set(old.root, "Points", old.dict({{"position", old.integer(1)}}));
  renamed.set(renamed.root, "OtherPoints", renamed.dict({{"position", renamed.integer(1)}}));
  CHECK(
      against("cross-datamodule-changed", old, renamed) ==
      Lines{"error OtherPoints: Points in the base: Trainer.fit(ckpt_path=...) looks for Points and silently "
            "ignores the datamodule's state"});
  CHECK(against("cross-datamodule-changed", old, none).size() == 1);
  CHECK(against("cross-datamodule-changed", old, old).empty());
}

TEST_CASE("a file that the Trainer did not write, and averaged weights, do not resume where the base did") {
  CheckpointBuilder old, averaged, nan;
  averaged.set(averaged.root, "current_model_state",
               averaged.dict({{"net.weight", averaged.tensor({2, 3}, {1, 2, 3, 4, 5, 6})}}));
  CHECK(
      against("cross-averaging-changed", old, averaged) ==
      Lines{"error state_dict: Trainer.fit(ckpt_path=...) continues from the average in state_dict; the live "
            "weights are in current_model_state"});
  CHECK(against("cross-averaging-changed", averaged, averaged).empty());
  CHECK(against("cross-not-resumable", old, averaged).empty());
  nan.set(nan.weights, "net.bias", nan.tensor({2}, {kInf, 1}));
  CHECK(against("cross-weights-nonfinite", old, nan) ==
        Lines{"error state_dict[\"net.bias\"]: 0 NaN and 1 Inf (base: 0 and 0): load_state_dict loads them "
              "without an "
              "error"});
  CHECK(against("cross-weights-nonfinite", nan, nan).empty());
}
