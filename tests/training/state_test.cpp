// The training state of files that Lightning wrote, and of files that nobody should have written.
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/checkpoint_builder.h"
#include "training/opened.h"
#include "training/scalar.h"
#include "training/weights.h"

using namespace ckpt;
using test::CheckpointBuilder;
using training::Optimizer;
using training::Scheduler;
using value::kNoNode;

namespace {

Opened fixture(const std::string& name) {
  Opened input = open_input(std::string(CKPT_SOURCE_DIR "/fixtures/") + name);
  REQUIRE(input.file);
  return input;
}

// --- files of Lightning ----------------------------------------------------------------------------------

struct Written {
  const char* version;
  double epoch;
  bool counts_batches;
  double last_epoch, lr;
};

TEST_CASE("one training run reads alike from the files of several Lightning versions") {
  for (const Written& written : std::vector<Written>{{"1.0.8", 2, true, 1, 5e-4},
                                                     {"1.5.10", 2, true, 2, 2.5e-4},
                                                     {"1.6.5", 1, false, 2, 2.5e-4},
                                                     {"1.9.5", 1, false, 2, 2.5e-4},
                                                     {"2.0.9", 1, false, 2, 2.5e-4},
                                                     {"2.6.5", 1, false, 2, 2.5e-4}}) {
    CAPTURE(written.version);
    const Opened input = fixture("valid/lightning-" + std::string(written.version) + "/base/last.ckpt");
    const training::State& state = input.training;
    REQUIRE(state.optimizers.size() == 1);
    const Optimizer& optimizer = state.optimizers[0];
    CHECK(optimizer.path == "optimizer_states[0]");
    CHECK(optimizer.type == "Adam or AdamW");
    REQUIRE(optimizer.groups.size() == 2);
    CHECK(optimizer.groups[0].ids.size() == 2);
    CHECK(optimizer.groups[1].ids.size() == 4);
    CHECK(optimizer.groups[0].names == kNoNode);
    CHECK(optimizer.parameters == 6);
    CHECK(optimizer.states == 6);
    CHECK(training::first_step(*input.file, optimizer) == 8.0);

    REQUIRE(state.schedulers.size() == 1);
    CHECK(state.schedulers[0].type == "StepLR");
    CHECK(training::last_epoch_of(input.file->tree, state.schedulers[0]) == written.last_epoch);
    CHECK(training::last_rates_of(input.file->tree, state.schedulers[0]).at(1) == written.lr);

    CHECK(state.progress.epoch == written.epoch);
    CHECK(state.progress.current_epoch() == 1.0);
    CHECK(state.progress.global_step == 8.0);
    CHECK(state.progress.counts_batches == written.counts_batches);
    REQUIRE(state.progress.done);
    CHECK(state.progress.done->low == 1);
    CHECK(state.progress.done->high == 2);
    CHECK((state.progress.batch_progress != kNoNode) == !written.counts_batches);

    REQUIRE(state.callbacks.size() == 2);
    CHECK(state.callbacks[0].name == "EarlyStopping");
    CHECK(state.callbacks[1].name == "ModelCheckpoint");
    CHECK(state.callbacks[0].by_class == (std::string_view(written.version) == "1.0.8"));
    REQUIRE(state.hyper_parameters.size() >= 1);
    CHECK(state.hyper_parameters[0].path == "hyper_parameters");
    CHECK(state.scalers.empty());
  }
}

TEST_CASE("a scaler has the path of its key") {
  const Opened input = fixture("variants/amp_ok.ckpt");
  REQUIRE(input.training.scalers.size() == 1);
  CHECK(input.training.scalers[0].path == "MixedPrecision");
  CHECK(input.training.scalers[0].node == input.items.precision);
}

// --- files that are broken -------------------------------------------------------------------------------

TEST_CASE("optimizers that are no optimizers keep their places") {
  CheckpointBuilder b;
  const auto group = b.dict({{"params", b.list({b.integer(0)})}, {"lr", b.real(0.1)}});
  b.set(b.root, "optimizer_states",
        b.list({b.none(), b.dict({{"state", b.text("lost")}, {"param_groups", b.integer(3)}}),
                b.dict({{"state", b.dict({})}, {"param_groups", b.list({b.none(), group})}})}));
  const Opened input = b.build();
  const auto& optimizers = input.training.optimizers;
  REQUIRE(optimizers.size() == 3);
  CHECK(optimizers[0].type == "optimizer of unknown type");
  CHECK(optimizers[0].state == kNoNode);
  CHECK(optimizers[1].groups.empty());
  CHECK(optimizers[1].states == 0);
  CHECK(optimizers[2].path == "optimizer_states[2]");
  CHECK(optimizers[2].group_path(1) == "optimizer_states[2].param_groups[1]");
  REQUIRE(optimizers[2].groups.size() == 2);
  CHECK(optimizers[2].groups[0].params == kNoNode);
  CHECK(optimizers[2].parameters == 1);
  CHECK_FALSE(training::first_step(*input.file, optimizers[1]));
}

TEST_CASE("items of another kind are no optimizers, schedulers or callbacks") {
  CheckpointBuilder b;
  for (const char* key : {"optimizer_states", "lr_schedulers", "callbacks", "loops", "epoch"})
    b.set(b.root, key, b.text("x"));
  const training::State state = b.build().training;
  CHECK(state.optimizers.empty());
  CHECK(state.schedulers.empty());
  CHECK(state.callbacks.empty());
  CHECK(state.progress.fit_loop == kNoNode);
  CHECK_FALSE(state.progress.epoch);
  CHECK_FALSE(state.progress.done);
}

TEST_CASE("schedulers inside of another one follow it, one level deep") {
  CheckpointBuilder b;
  const auto deep = b.dict({{"_schedulers", b.list({b.dict({})})}, {"gamma", b.real(0.9)}});
  const auto step = b.dict({{"step_size", b.integer(1)}, {"gamma", b.real(0.5)}});
  b.set(b.root, "lr_schedulers",
        b.list({b.none(), b.dict({{"_schedulers", b.list({deep, b.integer(1), step})},
                                  {"_milestones", b.list({b.integer(4)})}})}));
  const Opened input = b.build();
  const auto& schedulers = input.training.schedulers;
  REQUIRE(schedulers.size() == 3);
  CHECK(schedulers[0].path == "lr_schedulers[1]");
  CHECK(schedulers[0].type == "SequentialLR");
  CHECK(schedulers[0].composite);
  CHECK(schedulers[0].top == 1);
  CHECK_FALSE(schedulers[0].inner);
  CHECK(schedulers[1].inner);
  CHECK(schedulers[2].path == "lr_schedulers[1]._schedulers[2]");
  CHECK(schedulers[2].type == "StepLR");
  const auto top = training::top_schedulers(schedulers);
  REQUIRE(top.size() == 1);
  CHECK(top[0] == &schedulers[0]);
}

// One dict of a thousand entries, listed a million times, would be visited a billion times by every rule.
TEST_CASE("what a file lists again and again is read until the budget is used up") {
  CheckpointBuilder b;
  test::Fields many;
  for (int i = 0; i < 1000; ++i) many.emplace_back("f" + std::to_string(i), b.none());
  const auto group = b.dict(many);
  const std::vector<value::NodeId> groups(1000, group);
  const auto optimizer = b.dict({{"state", b.dict({})}, {"param_groups", b.list(groups)}});
  const auto optimizers = b.list(std::vector<value::NodeId>(100'000, optimizer));
  training::Items items;
  items.kind = training::FileKind::kTrainer;
  items.optimizer_states = optimizers;
  items.lr_schedulers =
      b.list(std::vector<value::NodeId>(100'000, b.dict({{"_schedulers", b.list(groups)}})));
  CHECK(training::read_optimizers(b.tree(), items).size() == 3);  // of 4 million visits
  const auto schedulers = training::read_schedulers(b.tree(), items);
  CHECK(schedulers.size() > 1000);
  CHECK(schedulers.size() < 10'000);
}

// --- callbacks, precision, weights -----------------------------------------------------------------------

TEST_CASE("the keys of callbacks as every version writes them") {
  CHECK(training::callback_class("ModelCheckpoint{'monitor': 'a'}") == "ModelCheckpoint");
  CHECK(training::callback_class("EarlyStopping") == "EarlyStopping");
  CHECK(training::current_callback_key("ModelCheckpoint{'monitor': 'a', 'save_on_train_epoch_end': True}") ==
        "ModelCheckpoint{'monitor': 'a'}");
  CHECK(training::current_callback_key("Mine{'a': 1, 'save_on_train_epoch_end': True}") ==
        "Mine{'a': 1, 'save_on_train_epoch_end': True}");
  CheckpointBuilder b;
  const Opened input = b.build();
  REQUIRE(input.training.callbacks.size() == 2);
  CHECK(input.training.callbacks[0].path(input.file->tree) ==
        "callbacks[\"EarlyStopping{'monitor': 'val_loss', 'mode': 'min'}\"]");
}

TEST_CASE("a version reads the scaler of its own precision plugin") {
  const auto readers = [](std::string_view version) {
    std::vector<std::string_view> keys;
    for (const auto& plugin : training::precision_plugins())
      if (plugin.read_by(*training::parse_version(version))) keys.push_back(plugin.key);
    return keys;
  };
  using Keys = std::vector<std::string_view>;
  CHECK(readers("1.5").empty());
  CHECK(readers("1.8.6").front() == "NativeMixedPrecisionPlugin");
  CHECK(readers("2.0.9") == Keys{"MixedPrecisionPlugin", "FSDPMixedPrecisionPlugin"});
  CHECK(readers("2.6.5") == Keys{"MixedPrecision", "FSDPPrecision"});
  CHECK(training::is_precision_key("native_amp_scaling_state"));
  CHECK_FALSE(training::is_precision_key("DataModule"));
}

TEST_CASE("a scaler is told by its fields, one of which may be missing") {
  CheckpointBuilder b;
  const auto one = b.real(1);
  const test::Fields whole = {{"scale", one},
                              {"growth_factor", one},
                              {"backoff_factor", one},
                              {"growth_interval", one},
                              {"_growth_tracker", one}};
  test::Fields broken = whole;
  b.remove(broken, "scale");
  CHECK(training::is_scaler(b.tree(), b.dict(whole)));
  CHECK(training::is_scaler(b.tree(), b.dict(broken)));
  CHECK(training::is_scaler(b.tree(), b.dict({{"scale", one}, {"growth_factor", one}})));
  CHECK_FALSE(training::is_scaler(b.tree(), b.dict({{"scale", one}, {"backoff_factor", one}})));
  CHECK_FALSE(training::is_scaler(b.tree(), one));
}

TEST_CASE("wrappers are no part of a weight's name") {
  CHECK(training::unwrapped_name("module._orig_mod.net._fsdp_wrapped_module.0.weight") == "net.0.weight");
  CHECK(training::unwrapped_name("net.module.weight") == "net.module.weight");
  CHECK(training::unwrapped_name("module") == "module");
}

TEST_CASE("the value of a tensor of one element, and of nothing else") {
  CheckpointBuilder b;
  const auto value = [&](value::NodeId node) { return training::scalar_value(b.file(), node); };
  CHECK(value(b.tensor({}, {2.5f})) == 2.5);
  CHECK(value(b.tensor({1}, {-INFINITY})) == -HUGE_VAL);
  CHECK(std::isnan(value(b.tensor({}, {NAN})).value_or(0)));
  CHECK(value(b.integer(3)) == 3.0);
  CHECK_FALSE(value(b.tensor({2}, {1, 2})));
  CHECK_FALSE(value(b.text("1")));
  CHECK_FALSE(value(kNoNode));
}

}  // namespace
