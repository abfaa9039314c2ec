#include <string>

#include <doctest/doctest.h>

#include "training/opened.h"
#include "training/sections.h"
#include "training/weights.h"

using namespace ckpt;
using training::FileKind;
using training::Section;

namespace {

const std::string kFixtures = CKPT_SOURCE_DIR "/fixtures/";

TEST_CASE("every item of a Lightning checkpoint is found, whatever the version") {
  for (const char* version : {"1.0.8", "1.5.10", "1.6.5", "1.9.5", "2.0.9", "2.2.5", "2.6.5"}) {
    CAPTURE(version);
    const Opened input = open_input(kFixtures + "valid/lightning-" + version + "/base/last.ckpt");
    REQUIRE(input.file);
    const training::Items& items = input.items;
    CHECK(items.kind == FileKind::kTrainer);
    REQUIRE(items.version);
    CHECK(items.version->text == version);
    for (const value::NodeId node : {items.epoch, items.global_step, items.state_dict, items.optimizer_states,
                                     items.lr_schedulers, items.callbacks, items.hyper_parameters})
      CHECK(node != value::kNoNode);
    CHECK((items.loops != value::kNoNode) == items.version->at_least(1, 6));
    CHECK((items.datamodule != value::kNoNode) == items.version->at_least(1, 6));
  }
}

// Lightning's FSDPStrategy and ModelParallelStrategy; the same saved as one file by Lightning's tool.
TEST_CASE("a Trainer's sharded folder has the items of a Trainer's file") {
  for (const char* name : {"lightning-fsdp", "lightning-model-parallel", "lightning-consolidated.ckpt"}) {
    CAPTURE(name);
    const Opened input = open_input(kFixtures + "valid/formats/" + name);
    REQUIRE(input.file);
    CHECK(input.items.kind == FileKind::kTrainer);
    CHECK(input.training.optimizers.size() == 1);
    CHECK(input.training.optimizers.front().parameters == 6);
    CHECK(training::top_schedulers(input.training.schedulers).size() == 1);
    CHECK(input.training.callbacks.size() == 1);
    CHECK(input.training.progress.fit_loop != value::kNoNode);
    CHECK(training::weight_keys(*input.file, input.items).size() == 9);
  }
}

TEST_CASE("a plain state_dict and a file without Trainer state are called what they are") {
  const Opened raw = open_input(kFixtures + "variants/raw_state_dict.pt");
  REQUIRE(raw.file);
  CHECK(raw.items.kind == FileKind::kStateDict);
  CHECK(training::section_of(raw.items, "[\"net.0.weight\"]") == Section::kWeights);
  CHECK(training::weight_name(raw.items, "[\"net.0.weight\"]") == "net.0.weight");
}

TEST_CASE("a scaler state is found by its shape, under any key") {
  const Opened input = open_input(kFixtures + "variants/amp_ok.ckpt");
  REQUIRE(input.file);
  CHECK(input.items.precision != value::kNoNode);
  CHECK(input.items.precision_key == "MixedPrecision");
}

TEST_CASE("paths belong to the section of their first component") {
  const Opened input = open_input(kFixtures + "valid/lightning-2.6.5/base/last.ckpt");
  REQUIRE(input.file);
  const auto section = [&](const char* path) { return training::section_of(input.items, path); };
  CHECK(section("state_dict[\"net.0.weight\"]") == Section::kWeights);
  CHECK(section("optimizer_states[0].state[3].exp_avg") == Section::kOptimizers);
  CHECK(section("[\"pytorch-lightning_version\"]") == Section::kMeta);
  CHECK(section("loops.fit_loop") == Section::kLoops);
  CHECK(section("DM.seen") == Section::kDataModule);
  CHECK(section("something_else") == Section::kOther);
  CHECK_FALSE(training::weight_name(input.items, "optimizer_states[0]"));
  CHECK(training::weight_name(input.items, "state_dict.alpha") == "alpha");
}

TEST_CASE("versions are compared by number") {
  CHECK(training::parse_version("1.10.0")->at_least(1, 9));
  CHECK_FALSE(training::parse_version("1.5.10")->at_least(1, 6));
  CHECK(training::parse_version("2.0.0rc1")->at_least(2, 0));
  CHECK(training::parse_version("2.6.5.post0")->at_least(2, 6, 5));
  CHECK(training::parse_version("v2.5.0")->at_least(2, 5));
  CHECK(training::parse_version(" 1.9.5")->minor == 9);
  CHECK(training::parse_version("1!0.1")->at_least(2, 0));
  CHECK(training::parse_version("2.x")->major == 2);
  CHECK_FALSE(training::parse_version("abc"));
}

}  // namespace
