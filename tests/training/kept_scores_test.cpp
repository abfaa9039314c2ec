#include "training/kept_scores.h"

#include <doctest/doctest.h>

#include "tests/support/checkpoint_builder.h"

using namespace ckpt;
using ckpt::test::CheckpointBuilder;

namespace {

// ModelCheckpoint with these file names and scores.
std::optional<training::KeptScores> kept(const std::vector<std::pair<std::string, double>>& models) {
  CheckpointBuilder b;
  test::Fields fields;
  for (const auto& [name, score] : models)
    fields.emplace_back(name, b.tensor({}, {static_cast<float>(score)}));
  b.set(b.saving, "monitor", b.text("val_loss"));
  b.set(b.saving, "best_k_models", b.dict(fields));
  const Opened input = b.build();
  return training::read_kept_scores(*input.file, input.training);
}

using Scores = std::vector<std::pair<double, double>>;

}  // namespace

TEST_CASE("scores of the checkpoints kept are in the order of the steps that their names have") {
  const auto scores =
      kept({{"/x/epoch=2-step=30.ckpt", 0.5}, {"/x/epoch=0-step=10.ckpt", 2}, {"epoch=1-step=20.ckpt", 1}});
  REQUIRE(scores);
  CHECK(scores->monitor == "val_loss");
  CHECK(scores->by == "step");
  CHECK(scores->scores == Scores{{10, 2}, {20, 1}, {30, 0.5}});
}

TEST_CASE("where no name has a step the epoch serves, and where one has none of both nothing does") {
  const auto scores = kept({{"epoch=1.ckpt", 1}, {"epoch=0.ckpt", 2}});
  REQUIRE(scores);
  CHECK(scores->by == "epoch");
  CHECK(scores->scores == Scores{{0, 2}, {1, 1}});
  CHECK_FALSE(kept({{"epoch=1.ckpt", 1}, {"best.ckpt", 2}}));
  CHECK_FALSE(kept({{"step=1.ckpt", 1}, {"x/step=1.ckpt", 2}}));
  CHECK_FALSE(kept({{"step=99999999999999999999999.ckpt", 1}}));
  CHECK_FALSE(kept({}));
}
