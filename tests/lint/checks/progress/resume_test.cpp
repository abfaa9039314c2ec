// Rules about what a resumed run restores silently: loops, callbacks, averages, hyperparameters.
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "tests/lint/checks/cases.h"

using namespace ckpt;
using namespace ckpt::test;
using value::kNoNode;
using value::NodeId;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr const char* kMin = "ModelCheckpoint{'monitor': 'val_loss', 'mode': 'min'}";

NodeId counts(CheckpointBuilder& b, int count) {
  return b.dict({{"ready", b.integer(count)}, {"completed", b.integer(count)}});
}

void set_fit_loop(CheckpointBuilder& b, const Fields& fields) {
  b.set(b.root, "loops", b.dict({{"fit_loop", b.dict(fields)}}));
}

Fields fit_loop(CheckpointBuilder& b) {
  return {{"epoch_progress", b.dict({{"current", counts(b, 1)}})},
          {"epoch_loop.batch_progress", b.dict({{"total", counts(b, 8)}})},
          {"epoch_loop.automatic_optimization.optim_progress", b.dict({})}};
}

// From before 1.6, resumed for 8 steps; `automatic` and `manual` are the steps counted before.
void migrate(CheckpointBuilder& b, int automatic, int manual) {
  b.set(b.steps, "completed", b.integer(automatic + 8));
  b.set(b.manual_steps, "completed", b.integer(manual));
  b.set(b.root, "global_step", b.integer(automatic + 8));
  b.set(b.stepped, "_batches_that_stepped", b.integer(automatic + 8));
  b.set(b.epochs, "completed", b.integer(5));
}

// Two models; the first is the better one, the second the k-th.
void set_models(CheckpointBuilder& b, const char* best = "/x/a.ckpt", const char* kth = "/x/b.ckpt",
                float kth_value = 0.5F) {
  b.set(b.saving, "best_k_models",
        b.dict({{"/x/a.ckpt", b.tensor({}, {0.25F})}, {"/x/b.ckpt", b.tensor({}, {0.5F})}}));
  b.set(b.saving, "best_model_path", b.text(best));
  b.set(b.saving, "kth_best_model_path", b.text(kth));
  b.set(b.saving, "kth_value", b.tensor({}, {kth_value}));
  b.set(b.root, "callbacks", b.dict({{kMin, b.dict(b.saving)}}));
}

void set_stopping(CheckpointBuilder& b, const char* mode, float best, int wait) {
  b.set(b.stopping, "best_score", b.tensor({}, {best}));
  b.set(b.stopping, "wait_count", b.integer(wait));
  b.set(b.root, "callbacks",
        b.dict({{"EarlyStopping{'monitor': 'm', 'mode': '" + std::string(mode) + "'}", b.dict(b.stopping)}}));
}

void set_average(CheckpointBuilder& b, std::int64_t averages, std::vector<std::int64_t> shape) {
  const auto size = static_cast<std::size_t>(shape[0]);
  b.set(b.root, "current_model_state",
        b.dict({{"net.weight", b.tensor({2, 3}, {1, 2, 3, 4, 5, 6})},
                {"net.bias", b.tensor(std::move(shape), std::vector<float>(size, 1))},
                {"norm.num_batches_tracked", b.integers({}, {9})}}));
  b.set(b.root, "averaging_state", b.dict({{"n_averaged", b.integers({}, {averages})}}));
}

}  // namespace

TEST_CASE("loops without their progress are reported by what is lost") {
  const Case cases[] = {
      {"loops-missing",
       "an empty fit_loop",
       [](auto& b) { set_fit_loop(b, {}); },
       {"error loops.fit_loop: empty: training restarts at epoch 0 and step 0 with the old optimizer state"}},
      {"loops-missing", "whole", [](auto& b) { set_fit_loop(b, fit_loop(b)); }, {}},
      {"loops-missing",
       "no epochs",
       [](auto& b) {
         auto fields = fit_loop(b);
         b.remove(fields, "epoch_progress");
         set_fit_loop(b, fields);
       },
       {"error loops.fit_loop: lacks epoch_progress: counting silently restarts at 0"}},
      {"loops-missing",
       "no batches, no steps",
       [](auto& b) {
         set_fit_loop(b, {{"epoch_progress", b.dict({})}});
       },
       {"error loops.fit_loop: lacks epoch_loop.batch_progress, "
        "epoch_loop.automatic_optimization.optim_progress: counting silently restarts at 0"}},
      {"loops-missing",
       "the layout of 1.6 to 1.9",
       [](auto& b) {
         auto fields = fit_loop(b);
         b.remove(fields, "epoch_loop.automatic_optimization.optim_progress");
         fields.emplace_back("epoch_loop.batch_loop.optimizer_loop.optim_progress", b.dict({}));
         set_fit_loop(b, fields);
       },
       {}},
      {"loops-missing",
       "no steps, and none by hand",
       [](auto& b) {
         auto fields = fit_loop(b);
         b.remove(fields, "epoch_loop.automatic_optimization.optim_progress");
         fields.emplace_back("epoch_loop.manual_optimization.optim_step_progress",
                             b.dict({{"total", counts(b, 0)}}));
         set_fit_loop(b, fields);
       },
       {"error loops.fit_loop: lacks epoch_loop.automatic_optimization.optim_progress: counting silently "
        "restarts "
        "at 0"}},
      {"loops-progress-order",
       "another step count has a rule of its own",
       [](auto& b) { b.set(b.steps, "completed", b.integer(77)); },
       {}},
      {"loops-step-mismatch",
       "no progress of steps has a rule of its own",
       [](auto& b) {
         set_fit_loop(
             b, {{"epoch_loop.manual_optimization.optim_step_progress", b.dict({{"total", counts(b, 0)}})}});
       },
       {}},
      {"loops-progress-order",
       "more batches stepped than were started",
       [](auto& b) { b.set(b.stepped, "_batches_that_stepped", b.integer(500)); },
       {"error loops.fit_loop[\"epoch_loop.state_dict\"]._batches_that_stepped: 500 batches stepped, "
        "but only 8 were started"}},
      {"loops-progress-order",
       "the migration of 1.6.5 began with the steps of two optimizers",
       [](auto& b) {
         b.set(b.root, "global_step", b.integer(24));
         b.set(b.steps, "ready", b.integer(24));
         b.set(b.steps, "completed", b.integer(24));
         b.set(b.stepped, "_batches_that_stepped", b.integer(16));
       },
       {}},
      {"loops-progress-order", "migrated from before 1.6", [](auto& b) { migrate(b, 20, 20); }, {}},
      {"loops-progress-order",
       "ahead in one of the two ways of training alone: not a migration",
       [](auto& b) { migrate(b, 20, 3); },
       {"error loops.fit_loop.epoch_progress.current: completed 5 is more than processed 2",
        "error loops.fit_loop.epoch_progress.total: completed 5 is more than processed 2",
        "error loops.fit_loop[\"epoch_loop.automatic_optimization.optim_progress\"].optimizer.step.current: "
        "completed 28 is more than ready 8",
        "error loops.fit_loop[\"epoch_loop.automatic_optimization.optim_progress\"].optimizer.step.total: "
        "completed 28 is more than ready 8",
        "error loops.fit_loop[\"epoch_loop.manual_optimization.optim_step_progress\"].current: completed 3 "
        "is more "
        "than ready 0",
        "error loops.fit_loop[\"epoch_loop.manual_optimization.optim_step_progress\"].total: completed 3 is "
        "more "
        "than ready 0"}},
      {"loops-step-mismatch", "migrated from before 1.6", [](auto& b) { migrate(b, 20, 20); }, {}},
      {"loops-progress-order",
       "fewer: gradients are accumulated",
       [](auto& b) { b.set(b.stepped, "_batches_that_stepped", b.integer(2)); },
       {}},
      {"loops-progress-order",
       "negative steps in both places",
       [](auto& b) {
         b.set(b.root, "global_step", b.integer(-8));
         b.set(b.steps, "ready", b.integer(-8));
         b.set(b.steps, "completed", b.integer(-8));
       },
       {"error loops.fit_loop[\"epoch_loop.automatic_optimization.optim_progress\"].optimizer.step.current: "
        "ready is negative: -8",
        "error loops.fit_loop[\"epoch_loop.automatic_optimization.optim_progress\"].optimizer.step.total: "
        "ready is negative: -8"}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("a file with optimizers lacks its callbacks") {
  const auto gone = [](CheckpointBuilder& b) { b.set(b.root, "callbacks", kNoNode); };
  check_case({"callbacks-missing",
              "gone",
              gone,
              {"warning callbacks: missing, although optimizer_states exists: ModelCheckpoint, EarlyStopping "
               "and all other "
               "callbacks start over"}});
  check_case({"callbacks-missing", "inference", gone, {}}, {.profile = lint::Profile::kInference});
  check_case(
      {"callbacks-missing", "none has a state", [](auto& b) { b.set(b.root, "callbacks", b.dict({})); }, {}});
  check_case({"callbacks-missing",
              "save_weights_only has a rule of its own",
              [&](auto& b) {
                gone(b);
                b.set(b.root, "optimizer_states", kNoNode);
              },
              {}});
}

TEST_CASE("paths and scores of a ModelCheckpoint match its models") {
  const std::string at = "warning callbacks[\"" + std::string(kMin) + "\"].";
  check_case({"callbacks-best-inconsistent", "as saved", [](auto& b) { set_models(b); }, {}});
  check_case(
      {"callbacks-best-inconsistent",
       "the path of a worse one",
       [](auto& b) { set_models(b, "/x/b.ckpt"); },
       {at + "best_model_path: \"/x/b.ckpt\" has the score 0.5 in best_k_models, but best_model_score is "
             "0.25"}});
  check_case(
      {"callbacks-best-inconsistent",
       "a k-th path that is gone",
       [](auto& b) { set_models(b, "/x/a.ckpt", "/x/gone.ckpt"); },
       {at + "kth_best_model_path: \"/x/gone.ckpt\" is not among the 2 models in best_k_models: Lightning "
             "raises KeyError when a better model replaces it"}});
  check_case({"callbacks-best-inconsistent",
              "another k-th value",
              [](auto& b) { set_models(b, "/x/a.ckpt", "/x/b.ckpt", 0.75F); },
              {at + "kth_value: 0.75, but kth_best_model_path has the score 0.5 in best_k_models"}});
  check_case({"callbacks-best-inconsistent",
              "fewer models than k: no k-th yet",
              [](auto& b) { set_models(b, "/x/a.ckpt", "", static_cast<float>(kInf)); },
              {}});
}

TEST_CASE("early stopping that can never improve, and counters below 0") {
  const auto stopping = [](const char* mode, double best, int wait) {
    return [=](CheckpointBuilder& b) { set_stopping(b, mode, static_cast<float>(best), wait); };
  };
  const std::string at = "[\"EarlyStopping{'monitor': 'm', 'mode': 'min'}\"].";
  check_case({"callbacks-score-nonfinite", "the first score", stopping("min", kInf, 0), {}});
  check_case({"callbacks-score-nonfinite", "that of mode max", stopping("max", -kInf, 0), {}});
  check_case({"callbacks-score-nonfinite",
              "the other infinity",
              stopping("min", -kInf, 0),
              {"warning callbacks" + at +
               "best_score: -inf: no score is better, so EarlyStopping waits out its patience and stops"}});
  check_case(
      {"callbacks-score-nonfinite",
       "the other infinity of mode max",
       stopping("max", kInf, 0),
       {"warning callbacks[\"EarlyStopping{'monitor': 'm', 'mode': 'max'}\"].best_score: inf: no score is "
        "better, so EarlyStopping waits out its patience and stops"}});
  check_case({"callbacks-counter", "healthy", stopping("min", 0.5, 0), {}});
  check_case(
      {"callbacks-counter",
       "a negative count",
       stopping("min", 0.5, -99),
       {"error callbacks" + at +
        "wait_count: -99: the count of checks without improvement starts at 0, training stops too late"}});
  const auto timer = [](double seconds) {
    return [=](CheckpointBuilder& b) {
      b.set(b.root, "callbacks",
            b.dict({{"Timer", b.dict({{"time_elapsed",
                                       b.dict({{"train", b.real(seconds)}, {"validate", b.real(0)}})}})}}));
    };
  };
  check_case({"callbacks-counter", "a time", timer(12.5), {}});
  check_case({"callbacks-counter",
              "no time",
              timer(kNan),
              {"error callbacks.Timer.time_elapsed.train: nan is not a time: the limit max_time is never "
               "reached, or already exceeded"}});
}

TEST_CASE("live weights of another shape and impossible counts of averages") {
  const Case cases[] = {
      {"averaging-state-incomplete",
       "another shape",
       [](auto& b) { set_average(b, 8, {7}); },
       {"error current_model_state: 1 tensor of another shape, first \"net.bias\": [7] here, [2] in "
        "state_dict; resuming fails"}},
      {"averaging-state-incomplete",
       "a negative count",
       [](auto& b) { set_average(b, -1, {2}); },
       {"error averaging_state.n_averaged: a count of -1: the next weights are weighted by 1 / (n_averaged + "
        "1)"}},
      {"averaging-state-incomplete", "before the first average", [](auto& b) { set_average(b, 0, {2}); }, {}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("hyperparameters that were removed differ from those that were never saved") {
  const auto hparams = [](NodeId (*make)(CheckpointBuilder&)) {
    return [make](CheckpointBuilder& b) { b.set(b.root, "hyper_parameters", make(b)); };
  };
  const std::string changed =
      ": Lightning writes a dict that is not empty or no key at all, so the hyperparameters were changed";
  const Case cases[] = {
      {"hparams-missing",
       "the name is left",
       hparams([](auto&) { return kNoNode; }),
       {"warning hyper_parameters: missing, but hparams_name exists: Lightning writes both or neither, so "
        "the "
        "hyperparameters were removed"}},
      {"hparams-missing",
       "never saved",
       [](auto& b) {
         b.set(b.root, "hyper_parameters", kNoNode);
         b.set(b.root, "hparams_name", kNoNode);
       },
       {"note hyper_parameters: missing, like hparams_name: save_hyperparameters() was not called or "
        "found nothing to save, so load_from_checkpoint needs every __init__ argument that has no default"}},
      {"hparams-missing",
       "never saved, but the datamodule saves its own",
       [](auto& b) {
         b.set(b.root, "hyper_parameters", kNoNode);
         b.set(b.root, "hparams_name", kNoNode);
         b.set(b.root, "datamodule_hyper_parameters", b.dict({{"batch_size", b.integer(4)}}));
         b.set(b.root, "datamodule_hparams_name", b.text("kwargs"));
       },
       {"warning hyper_parameters: missing, although the datamodule saved its own: load_from_checkpoint "
        "needs every "
        "__init__ argument that has no default"}},
      {"hparams-missing",
       "emptied",
       hparams([](auto& b) { return b.dict({}); }),
       {"warning hyper_parameters: an empty dict" + changed}},
      {"hparams-missing",
       "None",
       hparams([](auto& b) { return b.none(); }),
       {"warning hyper_parameters: None" + changed}},
      {"hparams-missing",
       "a list",
       hparams([](auto& b) { return b.list({b.integer(1)}); }),
       {"warning hyper_parameters: a list of 1 item" + changed}},
      {"hparams-missing",
       "OmegaConf's container",
       hparams([](auto& b) { return b.call("omegaconf.dictconfig", "DictConfig", {}); }),
       {}},
      {"hparams-missing",
       "no name",
       [](auto& b) { b.set(b.root, "hparams_name", kNoNode); },
       {"note hyper_parameters: hparams_name is missing: the module filled self.hparams without "
        "save_hyperparameters(), or the name was removed"}},
      {"hparams-missing", "a name of None", [](auto& b) { b.set(b.root, "hparams_name", b.none()); }, {}},
      {"hparams-missing",
       "the datamodule's name is left",
       [](auto& b) { b.set(b.root, "datamodule_hparams_name", b.text("kwargs")); },
       {"warning datamodule_hyper_parameters: missing, but datamodule_hparams_name exists: Lightning writes "
        "both or "
        "neither, so the hyperparameters were removed"}},
  };
  for (const auto& c : cases) check_case(c);
}
