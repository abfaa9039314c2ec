// Rules about loops, callbacks, the gradient scaler, averaged weights and the datamodule.
#include <cmath>

#include <doctest/doctest.h>

#include "tests/lint/checks/cases.h"

using namespace ckpt;
using namespace ckpt::test;
using value::kNoNode;
using value::NodeId;

namespace {

struct Counts {
  int ready, started, processed, completed;
};

NodeId counts(CheckpointBuilder& b, const Counts& c) {
  return b.dict({{"ready", b.integer(c.ready)},
                 {"completed", b.integer(c.completed)},
                 {"started", b.integer(c.started)},
                 {"processed", b.integer(c.processed)}});
}

// Loops of two epochs of four batches, with one thing changed.
struct Loops {
  Counts epochs = {2, 2, 2, 1}, batches_total = {8, 8, 8, 8}, batches = {4, 4, 4, 4};
  bool is_last_batch = true;
  bool loader = false;
};

void set_loops(CheckpointBuilder& b, const Loops& l) {
  const auto loader = b.dict({{"combined_loader", b.list({b.dict({{"batch", b.integer(3)}})})}});
  const auto epochs = b.dict({{"total", counts(b, l.epochs)}, {"current", counts(b, l.epochs)}});
  const auto batches = b.dict({{"total", counts(b, l.batches_total)},
                               {"current", counts(b, l.batches)},
                               {"is_last_batch", b.boolean(l.is_last_batch)}});
  b.set(b.root, "loops",
        b.dict({{"fit_loop", b.dict({{"state_dict", l.loader ? loader : b.dict({})},
                                     {"epoch_progress", epochs},
                                     {"epoch_loop.batch_progress", batches}})}}));
}

void untrained(CheckpointBuilder& b) {
  b.set(b.root, "global_step", b.integer(0));
  b.set(b.batches, "ready", b.integer(0));
}

void version(CheckpointBuilder& b, const char* text) {
  b.set(b.root, "pytorch-lightning_version", b.text(text));
}

NodeId scaler(CheckpointBuilder& b) {
  return b.dict({{"scale", b.real(65536)},
                 {"growth_factor", b.real(2)},
                 {"backoff_factor", b.real(0.5)},
                 {"growth_interval", b.integer(2000)}});
}

constexpr const char* kSaveKey = "ModelCheckpoint{'monitor': 'val_loss', 'mode': 'min', 'every_n_epochs': 1";

void set_callbacks(CheckpointBuilder& b, const std::vector<std::string>& keys) {
  Fields fields;
  for (const auto& key : keys) fields.emplace_back(key, b.dict(b.saving));
  b.set(b.root, "callbacks", b.dict(fields));
}

void set_average(CheckpointBuilder& b, int averages, float last) {
  b.set(b.root, "current_model_state",
        b.dict({{"net.weight", b.tensor({2, 3}, {1, 2, 3, 4, 5, 6})},
                {"net.bias", b.tensor({2}, {0.5F, last})},
                {"norm.num_batches_tracked", b.integers({}, {9})}}));
  b.set(b.root, "averaging_state", b.dict({{"n_averaged", b.integers({}, {averages})}}));
}

}  // namespace

TEST_CASE("rules about loops fire on one change and stay silent on healthy variants") {
  const Case cases[] = {
      {"loops-epoch-mismatch",
       "another epoch",
       [](auto& b) {
         set_loops(b, {});
         b.set(b.root, "epoch", b.integer(7));
       },
       {"error epoch: 7, but loops.fit_loop.epoch_progress.current.completed is 1"}},
      {"loops-epoch-mismatch", "healthy", [](auto& b) { set_loops(b, {}); }, {}},
      {"loops-epoch-mismatch",
       "before 1.6",
       [](auto& b) {
         set_loops(b, {});
         b.set(b.root, "epoch", b.integer(2));
         version(b, "1.5.10");
       },
       {}},
      {"loops-progress-order",
       "completed more than processed",
       [](auto& b) {
         set_loops(b, {.batches = {4, 4, 4, 9}, .loader = false});
       },
       {"error loops.fit_loop[\"epoch_loop.batch_progress\"]: total completed 8 is less than current "
        "completed 9"}},
      {"loops-progress-order",
       "negative",
       [](auto& b) {
         set_loops(b, {.batches = {0, 0, 0, -1}});
       },
       {"error loops.fit_loop[\"epoch_loop.batch_progress\"].current: completed is negative: -1"}},
      {"loops-progress-order",
       "mid-epoch",
       [](auto& b) {
         set_loops(b, {.batches = {3, 3, 3, 2}, .is_last_batch = false});
       },
       {}},
      {"loops-progress-order",
       "the total of validation restarts in each epoch",
       [](auto& b) {
         const auto progress =
             b.dict({{"total", counts(b, {0, 0, 0, 0})}, {"current", counts(b, {4, 4, 4, 4})}});
         b.set(b.root, "loops",
               b.dict({{"fit_loop", b.dict({{"epoch_loop.val_loop.batch_progress", progress}})}}));
       },
       {}},
      {"loops-mid-epoch",
       "no loader state",
       [](auto& b) {
         set_loops(b, {.batches = {3, 3, 3, 2}, .is_last_batch = false});
       },
       {"warning loops.fit_loop[\"epoch_loop.batch_progress\"]: saved at batch 3 of an epoch, without the "
        "dataloader's "
        "state: resuming skips or repeats data"}},
      {"loops-mid-epoch",
       "a stateful loader",
       [](auto& b) {
         set_loops(b, {.batches = {3, 3, 3, 2}, .is_last_batch = false, .loader = true});
       },
       {}},
      {"loops-mid-epoch", "at the end of an epoch", [](auto& b) { set_loops(b, {}); }, {}},
      {"loops-untrained",
       "step 0",
       [](auto& b) { untrained(b); },
       {"note global_step: 0: saved before the first step, with the weights that training starts from"}},
      {"loops-untrained",
       "no optimizers",
       [](auto& b) {
         untrained(b);
         b.set(b.root, "optimizer_states", b.list({}));
       },
       {}},
      {"loops-untrained",
       "optimizers stepped without Lightning",
       [](auto& b) {
         set_loops(b, {});
         b.set(b.root, "global_step", b.integer(0));
       },
       {}},
      {"loops-multi-optimizer-step",
       "two optimizers",
       [](auto& b) {
         set_loops(b, {});
         b.set(b.root, "global_step", b.integer(16));
         b.set(b.root, "optimizer_states", b.list({b.dict({}), b.dict({})}));
       },
       {"note global_step: 16 is the steps of all 2 optimizers together: 8 batches were trained"}},
      {"loops-multi-optimizer-step",
       "before 1.6",
       [](auto& b) {
         version(b, "1.5.10");
         b.set(b.root, "optimizer_states", b.list({b.dict({}), b.dict({})}));
       },
       {}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("limits on progress count the epochs of old files like those of new ones") {
  const auto nothing = [](auto&) {};
  check_case({"loops-max-epochs", "epoch 1", nothing, {}}, {.params = {{"max", 1.0}}});
  check_case({"loops-max-epochs",
              "too late",
              [](auto& b) { b.set(b.root, "epoch", b.integer(5)); },
              {"error epoch: epoch 5, more than the maximum of 4"}},
             {.params = {{"max", 4.0}}});
  check_case({"loops-max-epochs",
              "the next epoch",
              [](auto& b) {
                b.set(b.root, "epoch", b.integer(5));
                version(b, "1.5.10");
              },
              {}},
             {.params = {{"max", 4.0}}});
  check_case({"loops-min-progress",
              "a smoke test",
              nothing,
              {"error global_step: global_step 8, less than the minimum of 1000"}},
             {.params = {{"min", 1000.0}}});
  check_case({"loops-min-progress",
              "no step at all",
              [](auto& b) { b.set(b.root, "global_step", kNoNode); },
              {"error global_step: found nothing instead of a number, cannot check the limit"}},
             {.params = {{"min", 1000.0}}});
}

TEST_CASE("rules about callbacks fire on one change and stay silent on healthy variants") {
  const std::string key = kSaveKey;
  const Case cases[] = {
      {"callbacks-key-collision",
       "the same except for one argument",
       [&](auto& b) {
         set_callbacks(
             b, {key + ", 'save_on_train_epoch_end': True}", key + ", 'save_on_train_epoch_end': None}"});
       },
       {"warning callbacks[\"ModelCheckpoint{'monitor': 'val_loss', 'mode': 'min', 'every_n_epochs': 1, "
        "'save_on_train_epoch_end': None}\"]: "
        "same as \"ModelCheckpoint{'monitor': 'val_loss', 'mode': 'min', 'every_n_epochs': 1, "
        "'save_on_train_epoch_end': True}\" without save_on_train_epoch_end: Lightning 1.9 and later rename "
        "and "
        "restore neither"}},
      {"callbacks-key-collision",
       "different arguments",
       [&](auto& b) {
         set_callbacks(b, {key + "}", key + ", 'x': 1}"});
       },
       {}},
      {"callbacks-best-inconsistent",
       "another score",
       [](auto& b) { b.set(b.saving, "best_model_score", b.tensor({}, {9})); },
       {"warning callbacks.ModelCheckpoint.best_model_score: 9.0, but the best score in best_k_models is "
        "0.25"}},
      {"callbacks-best-inconsistent",
       "another path",
       [](auto& b) { b.set(b.saving, "best_model_path", b.text("/x/gone.ckpt")); },
       {"warning callbacks.ModelCheckpoint.best_model_path: \"/x/gone.ckpt\" is not among the 1 model in "
        "best_k_models"}},
      {"callbacks-best-inconsistent",
       "the wrong end",
       [&](auto& b) {
         b.set(b.saving, "best_k_models", b.dict({{"/x/a.ckpt", b.real(0.25)}, {"/x/b.ckpt", b.real(0.1)}}));
         set_callbacks(b, {key + "}"});
       },
       {"warning callbacks[\"ModelCheckpoint{'monitor': 'val_loss', 'mode': 'min', 'every_n_epochs': "
        "1}\"].best_model_score: 0.25, but the best score in "
        "best_k_models is 0.1"}},
      {"callbacks-best-inconsistent",
       "the wrong end of mode max",
       [](auto& b) {
         b.set(b.saving, "best_k_models", b.dict({{"/x/a.ckpt", b.real(0.25)}, {"/x/b.ckpt", b.real(0.5)}}));
         set_callbacks(b, {"ModelCheckpoint{'monitor': 'acc', 'mode': 'max'}"});
       },
       {"warning callbacks[\"ModelCheckpoint{'monitor': 'acc', 'mode': 'max'}\"].best_model_score: 0.25, but "
        "the best score in best_k_models is 0.5"}},
      {"callbacks-best-inconsistent",
       "either end without a mode",
       [](auto& b) {
         b.set(b.saving, "best_k_models", b.dict({{"/x/a.ckpt", b.real(0.25)}, {"/x/b.ckpt", b.real(0.1)}}));
       },
       {}},
      {"callbacks-best-inconsistent",
       "monitor=None: no models",
       [](auto& b) { b.set(b.saving, "best_k_models", b.dict({})); },
       {}},
      {"callbacks-best-inconsistent",
       "NaN has a rule of its own",
       [](auto& b) { b.set(b.saving, "best_model_score", b.tensor({}, {NAN})); },
       {}},
      {"callbacks-early-stopping-done",
       "patience is over",
       [](auto& b) { b.set(b.stopping, "wait_count", b.integer(3)); },
       {"warning callbacks[\"EarlyStopping{'monitor': 'val_loss', 'mode': 'min'}\"].wait_count: 3 of "
        "patience 3: resumed training stops at the next check without improvement"}},
      {"callbacks-early-stopping-done",
       "stopped by a threshold",
       [](auto& b) { b.set(b.stopping, "stopped_epoch", b.integer(4)); },
       {"warning callbacks[\"EarlyStopping{'monitor': 'val_loss', 'mode': 'min'}\"].wait_count: 1 of "
        "patience 3, stopped in epoch 4: resumed training stops at the next check without improvement"}},
      {"callbacks-absolute-path",
       "a folder",
       [](auto& b) {
         b.set(b.saving, "dirpath", b.text("/home/alice"));
         b.set(b.saving, "best_model_path", b.text("a.ckpt"));
       },
       {"note callbacks.ModelCheckpoint.dirpath: \"/home/alice\" is a path on the machine that wrote the "
        "file"}},
      {"callbacks-absolute-path",
       "a drive",
       [](auto& b) { b.set(b.saving, "best_model_path", b.text("C:\\runs\\a.ckpt")); },
       {"note callbacks.ModelCheckpoint.best_model_path: \"C:\\\\runs\\\\a.ckpt\" is a path on the machine "
        "that wrote "
        "the file"}},
      {"callbacks-absolute-path",
       "a URL",
       [](auto& b) {
         b.set(b.saving, "dirpath", b.text("s3://bucket/run"));
         b.set(b.saving, "best_model_path", b.text("s3://bucket/run/a.ckpt"));
       },
       {}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("what stops a resumed run matters only for resuming") {
  const auto stop = [](auto& b) { b.set(b.stopping, "wait_count", b.integer(3)); };
  check_case({"callbacks-early-stopping-done",
              "any",
              stop,
              {"note callbacks[\"EarlyStopping{'monitor': 'val_loss', 'mode': 'min'}\"].wait_count: 3 of "
               "patience 3: resumed training stops at the next check without improvement"}},
             {.profile = lint::Profile::kAny});
  check_case({"callbacks-early-stopping-done", "inference", stop, {}},
             {.profile = lint::Profile::kInference});
  const auto mid_epoch = [](auto& b) { set_loops(b, {.batches = {3, 3, 3, 2}, .is_last_batch = false}); };
  check_case({"loops-mid-epoch", "inference", mid_epoch, {}}, {.profile = lint::Profile::kInference});
  // Training starts from such a file anyway; but it must not be shipped.
  check_case(
      {"loops-untrained",
       "inference",
       untrained,
       {"warning global_step: 0: saved before the first step, with the weights that training starts from"}},
      {.profile = lint::Profile::kInference});
}

TEST_CASE("callbacks that a team requires, by class or by key") {
  const auto names = [](std::initializer_list<const char*> list) {
    report::List texts;
    for (const auto* text : list) texts.emplace_back(text);
    return LintRun{.params = {{"names", texts}}};
  };
  const auto nothing = [](auto&) {};
  check_case({"callbacks-required", "there", nothing, {}},
             names({"ModelCheckpoint", "EarlyStopping*val_loss*"}));
  check_case({"callbacks-required", "not there", nothing, {"error callbacks: no state of \"Timer\""}},
             names({"Timer", "EarlyStopping"}));
}

TEST_CASE("a scaler under a name that the target does not read, of apex, or unexpected") {
  const auto under = [](const char* key) {
    return [key](CheckpointBuilder& b) { b.set(b.root, key, scaler(b)); };
  };
  const LintRun for_1_8{.params = {{"target-version", "1.8"}}};
  check_case(
      {"precision-scaler-stale-key",
       "1.6",
       under("NativeMixedPrecisionPlugin"),
       {"warning NativeMixedPrecisionPlugin: only Lightning 1.6 to 1.8 reads this key: 2.6 ignores it, "
        "and the scale restarts"}});
  check_case({"precision-scaler-stale-key",
              "2.0",
              under("MixedPrecisionPlugin"),
              {"warning MixedPrecisionPlugin: only Lightning 1.9 to 2.0 reads this key: 2.6 ignores it, and "
               "the scale restarts"}});
  check_case({"precision-scaler-stale-key", "2.1", under("MixedPrecision"), {}});
  check_case(
      {"precision-scaler-stale-key", "before 1.6, which all read", under("native_amp_scaling_state"), {}});
  check_case({"precision-scaler-stale-key", "an older target", under("NativeMixedPrecisionPlugin"), {}},
             for_1_8);
  check_case({"precision-scaler-stale-key",
              "newer than the target",
              under("MixedPrecision"),
              {"warning MixedPrecision: only Lightning 2.1 and later reads this key: 1.8 ignores it, and the "
               "scale restarts"}},
             for_1_8);
  check_case({"precision-apex-state",
              "apex",
              [](auto& b) { b.set(b.root, "amp_scaling_state", b.dict({})); },
              {"warning amp_scaling_state: state of apex, which Lightning 2.0 and later do not support: "
               "dropped on load"}});
  check_case({"precision-apex-state", "native", under("native_amp_scaling_state"), {}});
  const auto expect = [](const char* what) { return LintRun{.params = {{"expect", what}}}; };
  const auto nothing = [](auto&) {};
  check_case({"precision-scaler-missing",
              "missing",
              nothing,
              {"error : no gradient scaler state, but fp16 is expected: the scale restarts at 65536"}},
             expect("fp16"));
  check_case({"precision-scaler-missing", "there under any key", under("Anything"), {}}, expect("fp16"));
  check_case({"precision-scaler-missing",
              "too many",
              under("MixedPrecision"),
              {"error MixedPrecision: gradient scaler state, but bf16 is expected"}},
             expect("bf16"));
  check_case({"precision-scaler-missing", "none", nothing, {}}, expect("none"));
}

TEST_CASE("averaged and live weights belong together") {
  const Case cases[] = {
      {"averaging-state-incomplete",
       "no live weights",
       [](auto& b) { b.set(b.root, "averaging_state", b.dict({})); },
       {"error current_model_state: absent, but averaging_state is there: training resumes from the averaged "
        "weights, and averaging starts over"}},
      {"averaging-state-incomplete",
       "no average",
       [](auto& b) { b.set(b.root, "current_model_state", b.dict({})); },
       {"error averaging_state: absent, but current_model_state is there: training resumes from the averaged "
        "weights, and averaging starts over"}},
      {"averaging-state-incomplete",
       "other keys",
       [](auto& b) {
         set_average(b, 8, 0);
         b.remove(b.weights, "net.bias");
       },
       {"error current_model_state: has 1 key that state_dict lacks, first \"net.bias\""}},
      {"averaging-state-incomplete", "whole", [](auto& b) { set_average(b, 8, 0); }, {}},
      {"averaging-identical",
       "one copied over the other",
       [](auto& b) { set_average(b, 8, -0.5F); },
       {"note current_model_state: 2 tensors bit-identical to state_dict after 8 averages: one was copied "
        "over the other"}},
      {"averaging-identical", "different", [](auto& b) { set_average(b, 8, 0); }, {}},
      {"averaging-identical", "the first average is a copy", [](auto& b) { set_average(b, 1, -0.5F); }, {}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("the datamodule's state under its class's name") {
  const auto under = [](const char* key) {
    return [key](CheckpointBuilder& b) { b.set(b.root, key, b.dict({{"seen", b.integer(1)}})); };
  };
  const auto nothing = [](auto&) {};
  const LintRun named{.params = {{"name", "Data"}}};
  check_case({"datamodule-state-missing",
              "none",
              nothing,
              {"error : no key looks like a datamodule's class: the datamodule starts over"}});
  check_case({"datamodule-state-missing", "any", under("Data"), {}});
  check_case({"datamodule-state-missing", "of a local class", under("make.<locals>.Data"), {}});
  check_case({"datamodule-state-missing",
              "renamed",
              under("OldData"),
              {"error Data: missing, but \"OldData\" exists: the datamodule starts over"}},
             named);
  check_case(
      {"datamodule-state-missing", "not there", nothing, {"error Data: missing: the datamodule starts over"}},
      named);
  check_case({"datamodule-state-missing", "by name", under("Data"), {}}, named);
}
