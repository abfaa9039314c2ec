// What torch 2.13 did when each of these schedulers loaded the state of each other.
#include "training/scheduler_loading.h"

#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/checkpoint_builder.h"

using namespace ckpt;
using test::CheckpointBuilder;
using training::LoadingOutcome;

namespace {

// The fields of a scheduler's class in its state, beside those that all have.
const std::map<std::string, std::vector<std::string>> kFields = {
    {"LambdaLR", {"lr_lambdas"}},
    {"StepLR", {"step_size", "gamma"}},
    {"MultiStepLR", {"milestones", "gamma"}},
    {"ConstantLR", {"factor", "total_iters"}},
    {"LinearLR", {"start_factor", "end_factor", "total_iters"}},
    {"ExponentialLR", {"gamma"}},
    {"PolynomialLR", {"total_iters", "power"}},
    {"CosineAnnealingLR", {"T_max", "eta_min"}},
    {"CosineAnnealingWarmRestarts", {"T_0", "T_i", "T_mult", "eta_min", "T_cur"}},
    {"OneCycleLR", {"total_steps", "_schedule_phases", "_anneal_func_type", "cycle_momentum", "use_beta1"}},
    {"CyclicLR", {"max_lrs", "total_size", "step_ratio", "mode", "gamma", "_scale_fn_custom", "scale_mode"}},
    {"ReduceLROnPlateau", {"factor", "patience", "best", "num_bad_epochs", "mode", "threshold"}},
    {"SequentialLR", {"_milestones", "_schedulers"}},
    {"ChainedScheduler", {"_schedulers"}},
    {"SWALR", {"anneal_epochs", "_anneal_strategy"}},
};

struct Saved {
  CheckpointBuilder b;
  value::NodeId state = value::kNoNode, optimizers = value::kNoNode;

  explicit Saved(const std::string& type, std::size_t inside = 2) {
    test::Fields fields = {{"last_epoch", b.integer(5)}};
    for (const std::string& field : kFields.at(type)) fields.emplace_back(field, b.integer(1));
    if (type == "ReduceLROnPlateau") CheckpointBuilder::set(fields, "mode", b.text("min"));
    if (type == "CyclicLR") CheckpointBuilder::set(fields, "mode", b.text("triangular"));
    if (type == "SequentialLR" || type == "ChainedScheduler") {
      const std::vector<value::NodeId> schedulers(inside, step());
      CheckpointBuilder::set(fields, "_schedulers", b.list(schedulers));
    }
    state = b.dict(fields);
    test::Fields group = {{"lr", b.real(0.1)}};
    if (type == "OneCycleLR") group.emplace_back("max_lr", b.real(0.1));
    if (type == "SWALR") group.emplace_back("swa_lr", b.real(0.1));
    optimizers = b.list({b.dict({{"param_groups", b.list({b.dict(group)})}})});
  }

  value::NodeId step() {
    return b.dict({{"last_epoch", b.integer(5)}, {"step_size", b.integer(1)}, {"gamma", b.real(0.5)}});
  }

  training::SavedScheduler saved() { return {b.tree(), state, optimizers}; }
};

training::SchedulerLoading load(Saved base, Saved other) {
  return training::load_scheduler(base.saved(), other.saved());
}

std::string expected_error(const std::string& base, const std::string& other) {
  const bool nested = other == "SequentialLR" || other == "ChainedScheduler";
  if (base == "LambdaLR") return "KeyError: 'lr_lambdas'";
  if (base == "CyclicLR") return "KeyError: '_scale_fn_custom'";
  if ((base == "SequentialLR" || base == "ChainedScheduler") && !nested) return "KeyError: '_schedulers'";
  if (base == "ReduceLROnPlateau" && other == "CyclicLR") return "ValueError: mode triangular is unknown!";
  if (base == "OneCycleLR") return "KeyError: 'max_lr'";
  if (base == "SWALR") return "KeyError: 'swa_lr'";
  return "";
}

TEST_CASE("the state of another scheduler raises where torch raises, and is wrong everywhere else") {
  for (const auto& first : kFields)
    for (const auto& second : kFields) {
      const auto& base = first.first;
      const auto& other = second.first;
      CAPTURE(base);
      CAPTURE(other);
      const auto loading = load(Saved(base), Saved(other));
      if (base == other) {
        CHECK(loading.outcome == LoadingOutcome::kFits);
        continue;
      }
      const std::string error = expected_error(base, other);
      const bool later = base == "OneCycleLR" || base == "SWALR";
      if (error.empty()) {
        CHECK(loading.outcome == LoadingOutcome::kWrong);
        continue;
      }
      CHECK(loading.outcome == (later ? LoadingOutcome::kRaisesLater : LoadingOutcome::kRaises));
      CHECK(loading.text == error);
    }
}

TEST_CASE("a scheduler of schedulers wants no more than it has") {
  const auto more = load(Saved("SequentialLR", 2), Saved("SequentialLR", 3));
  CHECK(more.outcome == LoadingOutcome::kRaises);
  CHECK(more.text == "IndexError: list index out of range (3 schedulers for 2)");
  const auto fewer = load(Saved("SequentialLR", 3), Saved("SequentialLR", 2));
  CHECK(fewer.outcome == LoadingOutcome::kWrong);
  CHECK(fewer.text == "1 of its 3 schedulers restart");
}

TEST_CASE("a mixture says what the scheduler keeps and what it takes") {
  const auto loading = load(Saved("StepLR"), Saved("ExponentialLR"));
  CHECK(loading.text ==
        "StepLR continues from the position of ExponentialLR, keeps its own step_size, takes gamma from the "
        "other");
}

TEST_CASE("what is no scheduler is nobody's mistake here") {
  CheckpointBuilder b;
  const training::SavedScheduler none{b.tree(), value::kNoNode, value::kNoNode};
  CHECK(training::load_scheduler(none, none).outcome == LoadingOutcome::kFits);
  const training::SavedScheduler number{b.tree(), b.integer(1), b.text("x")};
  CHECK(training::load_scheduler(number, number).outcome == LoadingOutcome::kFits);
}

}  // namespace
