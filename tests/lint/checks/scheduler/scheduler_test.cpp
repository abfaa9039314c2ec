// Rules that compare the numbers of schedulers among themselves and with those of the optimizers.
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

NodeId reals(CheckpointBuilder& b, std::initializer_list<double> values) {
  std::vector<NodeId> ids;
  for (const double value : values) ids.push_back(b.real(value));
  return b.list(ids);
}

// An optimizer of one group for each pair of learning rates {lr, initial_lr}; initial_lr 0: none.
NodeId optimizer(CheckpointBuilder& b, std::initializer_list<std::pair<double, double>> groups) {
  std::vector<NodeId> nodes;
  for (const auto& [lr, initial] : groups) {
    Fields group = {{"lr", b.real(lr)}, {"params", b.list({b.integer(0)})}};
    if (initial != 0) group.emplace_back("initial_lr", b.real(initial));
    nodes.push_back(b.dict(group));
  }
  return b.dict({{"state", b.dict({})}, {"param_groups", b.list(nodes)}});
}

Fields exponential(CheckpointBuilder& b, std::initializer_list<double> base,
                   std::initializer_list<double> last) {
  return {{"gamma", b.real(0.9)},
          {"base_lrs", reals(b, base)},
          {"last_epoch", b.integer(2)},
          {"_step_count", b.integer(3)},
          {"_last_lr", reals(b, last)}};
}

Fields plateau(CheckpointBuilder& b, const char* mode, double best) {
  return {{"factor", b.real(0.1)},          {"mode", b.text(mode)},
          {"best", b.real(best)},           {"mode_worse", b.real(mode == std::string("min") ? kInf : -kInf)},
          {"num_bad_epochs", b.integer(0)}, {"last_epoch", b.integer(2)},
          {"_last_lr", reals(b, {0.001})}};
}

// A generator and a discriminator, each with a scheduler of its own.
struct Gan {
  std::pair<double, double> generator = {0.01, 0.02}, discriminator = {0.04, 0.08};
  double generator_base = 0.02, discriminator_base = 0.08, generator_last = 0.01, discriminator_last = 0.04;
};

void set_gan(CheckpointBuilder& b, const Gan& gan) {
  b.set(b.root, "optimizer_states",
        b.list({optimizer(b, {gan.generator}), optimizer(b, {gan.discriminator})}));
  b.set(b.root, "lr_schedulers",
        b.list({b.dict(exponential(b, {gan.generator_base}, {gan.generator_last})),
                b.dict(exponential(b, {gan.discriminator_base}, {gan.discriminator_last}))}));
}

// ChainedScheduler or SequentialLR over two schedulers.
void set_composite(CheckpointBuilder& b, double base, double last) {
  b.set(b.root, "lr_schedulers",
        b.list({b.dict({{"_last_lr", reals(b, {last})},
                        {"_schedulers", b.list({b.dict(exponential(b, {base}, {0.5})),
                                                b.dict(exponential(b, {base}, {0.7}))})}})}));
}

void cosine_at_end(CheckpointBuilder& b) {
  b.set(b.group, "lr", b.real(0));
  b.set(b.scheduler, "T_max", b.integer(2));
  b.set(b.scheduler, "eta_min", b.real(0));
}

void set_schedulers(CheckpointBuilder& b, const std::vector<Fields>& schedulers) {
  std::vector<NodeId> nodes;
  for (const auto& scheduler : schedulers) nodes.push_back(b.dict(scheduler));
  b.set(b.root, "lr_schedulers", b.list(nodes));
}

}  // namespace

TEST_CASE("the last rate of a scheduler is that of the optimizer that it drives") {
  const Case cases[] = {
      {"scheduler-lr-drift",
       "another lr behind ChainedScheduler",
       [](auto& b) { set_composite(b, 0.001, 0.5); },
       {"warning lr_schedulers[0]._last_lr: 0.5, but optimizer_states[0].param_groups[0].lr is 0.001: only "
        "one of them was set, or a manual warm-up moves it"}},
      {"scheduler-lr-drift", "ChainedScheduler", [](auto& b) { set_composite(b, 0.001, 0.001); }, {}},
      {"scheduler-lr-drift", "two optimizers", [](auto& b) { set_gan(b, {}); }, {}},
      {"scheduler-lr-drift",
       "the lr of one of two optimizers",
       [](auto& b) {
         set_gan(b, {.discriminator = {5, 0.08}});
       },
       {"warning lr_schedulers[1]._last_lr: 0.04, but optimizer_states[1].param_groups[0].lr is 5.0: only "
        "one of them was set, or a manual warm-up moves it"}},
      {"scheduler-lr-drift",
       "the lr of one of two optimizers that began alike",
       [](auto& b) {
         set_gan(b, {.discriminator = {5, 0.02}, .discriminator_base = 0.02, .discriminator_last = 0.01});
       },
       {"warning lr_schedulers[1]._last_lr: 0.01, but optimizer_states[1].param_groups[0].lr is 5.0: only "
        "one of them was set, or a manual warm-up moves it"}},
      {"scheduler-lr-drift",
       "alike, and the second one is driven from elsewhere",
       [](auto& b) {
         set_gan(b, {.discriminator = {5, 0.02}});
         b.set(b.root, "lr_schedulers", b.list({b.dict(exponential(b, {0.02}, {0.01}))}));
       },
       {}},
      {"scheduler-lr-drift",
       "two optimizers, and nothing tells which one ReduceLROnPlateau drives",
       [](auto& b) {
         set_gan(b, {});
         set_schedulers(b, {plateau(b, "min", 0.5)});
       },
       {}},
      {"scheduler-lr-drift",
       "two schedulers on one optimizer: one is behind",
       [](auto& b) {
         set_schedulers(b, {exponential(b, {0.001}, {0.7}), exponential(b, {0.001}, {0.001})});
       },
       {}},
      {"scheduler-lr-drift",
       "a rate that is a tensor",
       [](auto& b) { b.set(b.group, "lr", b.tensor({}, {5})); },
       {"warning lr_schedulers[0]._last_lr: 0.001, but optimizer_states[0].param_groups[0].lr is 5.0: only "
        "one of them was set, or a manual warm-up moves it"}},
      {"scheduler-lr-drift",
       "the same rate as a tensor",
       [](auto& b) {
         b.set(b.group, "lr", b.tensor({}, {0.001F}));
         b.set(b.scheduler, "_last_lr", b.list({b.tensor({}, {0.001F})}));
       },
       {}},
      {"scheduler-lr-drift",
       "a lost rate has a rule of its own",
       [](auto& b) { b.set(b.group, "lr", b.real(0)); },
       {}},
      {"scheduler-lr-drift",
       "another last rate at a schedule's end, where 0 is right",
       [](auto& b) { cosine_at_end(b); },
       {"warning lr_schedulers[0]._last_lr: 0.001, but optimizer_states[0].param_groups[0].lr is 0.0: only "
        "one of them was set, or a manual warm-up moves it"}},
      {"optimizer-lr-zero", "a schedule's end", [](auto& b) { cosine_at_end(b); }, {}},
      {"optimizer-lr-zero",
       "behind a composite",
       [](auto& b) {
         b.set(b.group, "lr", b.real(0));
         set_composite(b, 0.001, 0.5);
       },
       {"warning optimizer_states[0].param_groups[0].lr: 0.0 in group 0 of 1, but lr_schedulers[0]._last_lr "
        "is 0.5"}},
      {"optimizer-lr-zero",
       "one of two optimizers without a scheduler",
       [](auto& b) {
         b.set(b.root, "optimizer_states",
               b.list({optimizer(b, {{0.001, 0.001}}), optimizer(b, {{0, 0}, {1, 0}})}));
       },
       {"warning optimizer_states[1].param_groups[0].lr: 0.0 in group 0 of 2, and no scheduler sets it"}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("base_lrs and initial_lr are copies of each other") {
  const Case cases[] = {
      {"scheduler-base-lr",
       "another base",
       [](auto& b) { b.set(b.scheduler, "base_lrs", reals(b, {7})); },
       {"warning lr_schedulers[0].base_lrs: 7.0, but initial_lr of the parameter groups is 0.001: the "
        "scheduler was made for other learning rates"}},
      {"scheduler-base-lr",
       "another initial_lr",
       [](auto& b) { b.set(b.group, "initial_lr", b.real(7)); },
       {"warning lr_schedulers[0].base_lrs: 0.001, but initial_lr of the parameter groups is 7.0: the "
        "scheduler was made for other learning rates"}},
      {"scheduler-base-lr",
       "inside of a composite",
       [](auto& b) { set_composite(b, 7, 0.001); },
       {"warning lr_schedulers[0]._schedulers[0].base_lrs: 7.0, but initial_lr of the parameter groups is "
        "0.001: the scheduler was made for other learning rates"}},
      {"scheduler-base-lr", "a composite", [](auto& b) { set_composite(b, 0.001, 0.001); }, {}},
      {"scheduler-base-lr", "two optimizers", [](auto& b) { set_gan(b, {}); }, {}},
      {"scheduler-base-lr",
       "one of two optimizers is lost",
       [](auto& b) {
         set_gan(b, {});
         b.set(b.root, "optimizer_states", b.list({optimizer(b, {{0.01, 0.02}})}));
       },
       {"warning lr_schedulers[1].base_lrs: 0.08, but initial_lr of the parameter groups is 0.02: the file "
        "lacks the optimizer of this scheduler, or the scheduler was made for other learning rates"}},
      {"scheduler-base-lr",
       "one of two schedulers is lost",
       [](auto& b) {
         set_gan(b, {});
         set_schedulers(b, {exponential(b, {0.02}, {0.01})});
       },
       {"warning optimizer_states[1].param_groups: initial_lr is 0.08, which only a scheduler sets, but "
        "base_lrs of the schedulers is 0.02: the file lacks the scheduler of this optimizer"}},
      {"scheduler-base-lr",
       "the other scheduler is of somebody's own",
       [](auto& b) {
         set_gan(b, {});
         set_schedulers(b, {exponential(b, {0.02}, {0.01}), {{"base_values", reals(b, {0.08})}}});
       },
       {}},
      {"scheduler-base-lr",
       "groups that were added later have no initial_lr",
       [](auto& b) {
         b.set(b.root, "optimizer_states", b.list({optimizer(b, {{0.001, 0.001}, {1, 0}})}));
       },
       {}},
      {"scheduler-base-lr",
       "ReduceLROnPlateau leaves no initial_lr",
       [](auto& b) {
         b.remove(b.group, "initial_lr");
         set_schedulers(b, {plateau(b, "min", 0.5)});
       },
       {}},
      {"scheduler-base-lr",
       "another number of groups",
       [](auto& b) {
         b.set(b.scheduler, "base_lrs", reals(b, {7, 8}));
       },
       {"warning lr_schedulers[0].base_lrs: 7.0, but initial_lr of the parameter groups is 0.001: the "
        "scheduler was made for other learning rates"}},
      {"scheduler-base-lr",
       "OneCycleLR beside another scheduler sets the first rate itself",
       [](auto& b) {
         auto cycle = exponential(b, {0.001}, {0.001});
         b.set(cycle, "total_steps", b.integer(9));
         set_schedulers(b, {exponential(b, {7}, {0.001}), cycle});
       },
       {}},
      {"scheduler-base-lr",
       "NaN has a rule of its own",
       [](auto& b) { b.set(b.scheduler, "base_lrs", reals(b, {kNan})); },
       {}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("numbers of schedulers are finite, but for the first best of ReduceLROnPlateau") {
  const Case cases[] = {
      {"scheduler-nonfinite",
       "gamma",
       [](auto& b) { b.set(b.scheduler, "gamma", b.real(kNan)); },
       {"error lr_schedulers[0].gamma: NaN: the learning rate and then the weights turn NaN after resuming"}},
      {"scheduler-nonfinite",
       "an infinite rate, one finding a list",
       [](auto& b) {
         b.set(b.scheduler, "base_lrs", reals(b, {kInf, kInf}));
       },
       {"error lr_schedulers[0].base_lrs[0]: inf: the learning rate and then the weights turn infinite or "
        "NaN after resuming"}},
      {"scheduler-nonfinite",
       "a tensor",
       [](auto& b) { b.set(b.scheduler, "_last_lr", b.list({b.tensor({}, {NAN})})); },
       {"error lr_schedulers[0]._last_lr[0]: NaN: the learning rate and then the weights turn NaN after "
        "resuming"}},
      {"scheduler-nonfinite",
       "inside of a composite",
       [](auto& b) { set_composite(b, kNan, 0.001); },
       {"error lr_schedulers[0]._schedulers[0].base_lrs[0]: NaN: the learning rate and then the weights turn "
        "NaN after resuming",
        "error lr_schedulers[0]._schedulers[1].base_lrs[0]: NaN: the learning rate and then the weights turn "
        "NaN after resuming"}},
      {"scheduler-nonfinite",
       "a best that is NaN",
       [](auto& b) { set_schedulers(b, {plateau(b, "min", kNan)}); },
       {"error lr_schedulers[0].best: NaN: no metric is ever better, so the learning rate drops each time "
        "the patience runs out"}},
      {"scheduler-nonfinite",
       "a best that nothing is better than",
       [](auto& b) { set_schedulers(b, {plateau(b, "min", -kInf)}); },
       {"warning lr_schedulers[0].best: -inf: no metric is ever better, so the learning rate drops each time "
        "the patience runs out"}},
      {"scheduler-nonfinite",
       "the first best",
       [](auto& b) {
         set_schedulers(b, {plateau(b, "min", kInf), plateau(b, "max", -kInf)});
       },
       {}},
      {"scheduler-nonfinite",
       "fields of somebody's own class",
       [](auto& b) {
         b.set(b.scheduler, "worst_loss", b.real(kInf));
         b.set(b.scheduler, "noise", b.real(kNan));
       },
       {"warning lr_schedulers[0].noise: NaN"}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("last_epoch is one less than the steps that a scheduler has counted") {
  const auto last = [](int epoch) {
    return [epoch](CheckpointBuilder& b) { b.set(b.scheduler, "last_epoch", b.integer(epoch)); };
  };
  check_case({"scheduler-last-epoch", "as stepped", last(2), {}});
  check_case({"scheduler-last-epoch",
              "moved",
              last(55),
              {"warning lr_schedulers[0].last_epoch: 55, but _step_count is 3, and every step adds one to "
               "both: expected 2"}});
  check_case({"scheduler-last-epoch",
              "negative",
              last(-1),
              {"error lr_schedulers[0].last_epoch: -1, but _step_count is 3: steps never lead below 0"}});
  check_case({"scheduler-last-epoch", "stepped with the epoch", last(0), {}});
  check_case({"scheduler-last-epoch",
              "reset",
              [&](auto& b) {
                b.set(b.root, "epoch", b.integer(7));
                last(0)(b);
              },
              {"warning lr_schedulers[0].last_epoch: 0, but _step_count is 3, and every step adds one to "
               "both: expected 2"}});
  const auto with = [](const char* key) {
    return [key](CheckpointBuilder& b) {
      b.set(b.scheduler, "last_epoch", b.integer(9));
      b.set(b.scheduler, key, b.integer(3));
    };
  };
  check_case({"scheduler-last-epoch", "CosineAnnealingWarmRestarts", with("T_cur"), {}});
  check_case({"scheduler-last-epoch", "SWALR", with("anneal_epochs"), {}});
  check_case({"scheduler-last-epoch",
              "SequentialLR takes back steps of those that wait",
              [](auto& b) {
                auto inner = b.scheduler;
                b.set(inner, "last_epoch", b.integer(-1));
                b.set(b.scheduler, "_schedulers", b.list({b.dict(inner)}));
              },
              {}});
  check_case({"scheduler-last-epoch",
              "a class of somebody's own",
              [](auto& b) {
                for (const auto key : {"gamma", "step_size"}) b.remove(b.scheduler, key);
                b.set(b.scheduler, "last_epoch", b.integer(9));
              },
              {}});
  check_case(
      {"scheduler-last-epoch",
       "a text",
       [](auto& b) { b.set(b.scheduler, "last_epoch", b.text("2")); },
       {"error lr_schedulers[0].last_epoch: expected an int, found \"2\": the next step raises TypeError"}});
}

TEST_CASE("scheduler rules give way to the rule that names the cause") {
  const auto moved = [](CheckpointBuilder& b) {
    b.set(b.scheduler, "last_epoch", b.integer(55));
    b.set(b.scheduler, "total_steps", b.integer(8));
  };
  const LintRun with_cause{.with_rules = {"scheduler-last-epoch"}};
  check_case({"scheduler-step-count",
              "moved",
              moved,
              {"note lr_schedulers[0].last_epoch: 55 is neither the number of epochs (1 to 2) nor of steps "
               "(8): stepped twice, or at a custom interval"}});
  check_case({"scheduler-step-count", "moved", moved, {}}, with_cause);
  check_case({"scheduler-exhausted",
              "moved",
              moved,
              {"warning lr_schedulers[0].last_epoch: 55 is beyond total_steps, 8, where OneCycleLR raises "
               "ValueError"}});
  check_case({"scheduler-exhausted", "moved", moved, {}}, with_cause);

  const auto more_groups = [](CheckpointBuilder& b) { b.set(b.scheduler, "base_lrs", reals(b, {7, 8})); };
  check_case({"scheduler-base-lr", "another number of groups", more_groups, {}},
             {.with_rules = {"scheduler-group-count"}});
}

TEST_CASE("a scheduler's state that holds nothing restarts it") {
  const Case cases[] = {
      {"scheduler-state-missing",
       "the only one",
       [](auto& b) { b.set(b.root, "lr_schedulers", b.list({b.dict({})})); },
       {"error lr_schedulers[0]: empty, but the parameter groups have initial_lr: a scheduler was in use and "
        "restarts"}},
      {"scheduler-state-missing",
       "one of two",
       [](auto& b) {
         b.set(b.root, "lr_schedulers", b.list({b.dict(b.scheduler), b.dict({})}));
       },
       {"warning lr_schedulers[1]: empty, but the parameter groups have initial_lr: a scheduler was in use "
        "and restarts"}},
      {"scheduler-state-missing",
       "no dict",
       [](auto& b) {
         b.set(b.root, "lr_schedulers", b.list({b.dict(b.scheduler), b.none()}));
       },
       {"error lr_schedulers[1]: None: Lightning raises TypeError on resume"}},
      {"scheduler-state-missing",
       "a class of somebody's own without a state",
       [](auto& b) {
         b.remove(b.group, "initial_lr");
         b.set(b.root, "lr_schedulers", b.list({b.dict({})}));
       },
       {}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("more rates than any training has are not compared") {
  CheckpointBuilder b;
  b.set(b.group, "lr", b.real(5));
  const auto rates = b.list(std::vector<NodeId>(500, b.real(0.001)));
  const auto scheduler = b.dict({{"base_lrs", rates}, {"_last_lr", rates}, {"gamma", b.real(1)}});
  const auto groups = b.list(std::vector<NodeId>(500, b.dict(b.group)));
  const auto many = b.dict({{"state", b.dict({})}, {"param_groups", groups}});
  b.set(b.root, "lr_schedulers", b.list(std::vector<NodeId>(1, scheduler)));
  b.set(b.root, "optimizer_states", b.list({many}));
  CHECK(lint_with("scheduler-lr-drift", b.build()).size() == 1);
  b.set(b.root, "lr_schedulers", b.list(std::vector<NodeId>(100, scheduler)));
  CHECK(lint_with("scheduler-lr-drift", b.build()).empty());
}
