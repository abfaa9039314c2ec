// What schedulers may do to a learning rate, and the scores of callbacks.
#include "training/rates.h"

#include <string>

#include <doctest/doctest.h>

#include "tests/support/checkpoint_builder.h"
#include "training/scores.h"

using namespace ckpt;
using test::CheckpointBuilder;
using training::RateRule;

namespace {

RateRule rule_with(const std::string& field, double value, double factor = 0.5, std::int64_t last_epoch = 2) {
  CheckpointBuilder b;
  b.scheduler = {{field, b.real(value)},
                 {"base_lrs", b.list({b.real(1)})},
                 {"last_epoch", b.integer(last_epoch)},
                 {"_step_count", b.integer(last_epoch + 1)},
                 {"_last_lr", b.list({b.real(1)})}};
  if (field == "step_size" || field == "milestones") b.scheduler.emplace_back("gamma", b.real(factor));
  if (field == "num_bad_epochs") b.scheduler.emplace_back("factor", b.real(factor));
  const Opened file = b.build();
  return training::rate_rule(file.file->tree, file.training);
}

TEST_CASE("only schedulers that can never raise a rate fall") {
  CHECK(rule_with("step_size", 3) == RateRule::kFalling);
  CHECK(rule_with("milestones", 3) == RateRule::kFalling);
  CHECK(rule_with("num_bad_epochs", 0) == RateRule::kFalling);
  CHECK(rule_with("gamma", 0.9) == RateRule::kFalling);
  CHECK(rule_with("gamma", 1.1) == RateRule::kFree);
  CHECK(rule_with("step_size", 3, 2) == RateRule::kFree);
  CHECK(rule_with("T_max", 10) == RateRule::kFalling);
  CHECK(rule_with("T_max", 10, 0, 11) == RateRule::kFree);  // it rises again
  for (const char* field :
       {"total_steps", "_milestones", "lr_lambdas", "start_factor", "max_lrs", "swa_lrs", "what"})
    CHECK_MESSAGE(rule_with(field, 3) == RateRule::kFree, std::string(field));
}

TEST_CASE("without a scheduler there is no rule, and an inner one counts as well") {
  CheckpointBuilder b;
  b.root.emplace_back("lr_schedulers", b.list({}));
  const Opened none = b.build();
  CHECK(training::rate_rule(none.file->tree, none.training) == RateRule::kNone);
}

TEST_CASE("rates are those of every group that has a number") {
  CheckpointBuilder b;
  b.set(b.group, "lr", b.tensor({}, {0.25F}));
  const Opened file = b.build();
  const auto rates = training::group_rates(*file.file, file.training);
  REQUIRE(rates.size() == 1);
  CHECK(rates[0].optimizer == 0);
  CHECK(rates[0].group == 0);
  CHECK(rates[0].lr == 0.25);
  CheckpointBuilder other;
  other.set(other.group, "lr", other.text("fast"));
  const Opened text = other.build();
  CHECK(training::learning_rates(*text.file, text.training).empty());
}

TEST_CASE("a score has the mode of its callback's key") {
  CheckpointBuilder b;
  const auto state = [&](double score) {
    return b.dict(
        {{"monitor", b.text("acc")}, {"current_score", b.real(score)}, {"best_model_score", b.none()}});
  };
  b.root.emplace_back("callbacks", b.dict({{"ModelCheckpoint{'monitor': 'acc', 'mode': 'max'}", state(0.5)},
                                           {"Other", state(0.25)}}));
  const Opened file = b.build();
  const auto scores = training::read_scores(*file.file, file.training);
  REQUIRE(scores.size() == 2);
  CHECK(scores[0].mode == "max");
  CHECK(scores[0].value() == 0.5);
  CHECK(!scores[0].best);
  CHECK(scores[1].mode.empty());
}

}  // namespace
