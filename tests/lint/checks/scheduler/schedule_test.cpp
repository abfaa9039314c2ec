// Schedulers against their own closed forms. The rates are those of torch 2.13.
#include <cmath>

#include "tests/lint/checks/cases.h"

using namespace ckpt;
using namespace ckpt::test;
using value::NodeId;

namespace {

constexpr const char* kRule = "scheduler-off-schedule";

NodeId one(CheckpointBuilder& b, double value) { return b.list({b.real(value)}); }

// base_lrs of 0.001, and the fields of the class.
Fields state(CheckpointBuilder& b, int last, double rate, const Fields& own) {
  Fields fields = own;
  fields.insert(fields.end(), {{"base_lrs", one(b, 0.001)},
                               {"last_epoch", b.integer(last)},
                               {"_step_count", b.integer(last + 1)},
                               {"_last_lr", one(b, rate)}});
  return fields;
}

using Own = std::function<Fields(CheckpointBuilder&)>;

Change alone(int last, double rate, const Own& own) {
  return [=](CheckpointBuilder& b) {
    b.set(b.root, "lr_schedulers", b.list({b.dict(state(b, last, rate, own(b)))}));
  };
}

Fields step(CheckpointBuilder& b) { return {{"step_size", b.integer(3)}, {"gamma", b.real(0.5)}}; }
Fields exponential(CheckpointBuilder& b) { return {{"gamma", b.real(0.9)}}; }
Fields cosine(CheckpointBuilder& b) { return {{"T_max", b.integer(10)}, {"eta_min", b.real(0.0001)}}; }
Fields constant(CheckpointBuilder& b) { return {{"factor", b.real(0.25)}, {"total_iters", b.integer(4)}}; }
Fields polynomial(CheckpointBuilder& b) { return {{"total_iters", b.integer(4)}, {"power", b.integer(2)}}; }
Fields linear(CheckpointBuilder& b) {
  return {{"start_factor", b.real(0.1)}, {"end_factor", b.real(1)}, {"total_iters", b.integer(5)}};
}
Fields milestones(CheckpointBuilder& b) {
  const auto counter = b.tree().add_dict();
  b.tree().set_items(counter,
                     std::vector<value::Item>{{b.integer(2), b.integer(2)}, {b.integer(7), b.integer(1)}});
  return {{"milestones", counter}, {"gamma", b.real(0.5)}};
}
Fields restarts(CheckpointBuilder& b) {
  return {{"T_0", b.integer(4)},
          {"T_i", b.integer(8)},
          {"T_mult", b.integer(2)},
          {"eta_min", b.integer(0)},
          {"T_cur", b.integer(2)}};
}
Fields one_cycle(CheckpointBuilder& b) {
  const auto phase = [&](double end, const char* from, const char* to) {
    return b.dict({{"end_step", b.real(end)}, {"start_lr", b.text(from)}, {"end_lr", b.text(to)}});
  };
  return {{"total_steps", b.integer(32)},
          {"_schedule_phases", b.list({phase(8.6, "initial_lr", "max_lr"), phase(31, "max_lr", "min_lr")})},
          {"_anneal_func_type", b.text("cos")},
          {"cycle_momentum", b.boolean(true)},
          {"use_beta1", b.boolean(true)}};
}

void cycle_group(CheckpointBuilder& b) {
  b.set(b.group, "initial_lr", b.real(0.0004));
  b.set(b.group, "max_lr", b.real(0.01));
  b.set(b.group, "min_lr", b.real(4e-8));
}

Change with_cycle(const Change& change) {
  return [=](CheckpointBuilder& b) {
    cycle_group(b);
    change(b);
  };
}

// A warm-up of 5 steps, then a cosine of 11: as the Trainer writes it after `outer` steps.
Change sequential(int outer, int inner, double rate) {
  return [=](CheckpointBuilder& b) {
    const Fields rest = {{"T_max", b.integer(11)}, {"eta_min", b.integer(0)}};
    b.set(b.root, "lr_schedulers",
          b.list({b.dict({{"_milestones", b.list({b.integer(5)})},
                          {"last_epoch", b.integer(outer)},
                          {"_last_lr", one(b, rate)},
                          {"_schedulers", b.list({b.dict(state(b, 4, 0.00082, linear(b))),
                                                  b.dict(state(b, inner, rate, rest))})}})}));
  };
}

Change chained(int first, int second, double rate) {
  return [=](CheckpointBuilder& b) {
    b.set(b.root, "lr_schedulers",
          b.list({b.dict({{"_last_lr", one(b, rate)},
                          {"_schedulers", b.list({b.dict(state(b, first, 0, constant(b))),
                                                  b.dict(state(b, second, 0, exponential(b)))})}})}));
  };
}

std::string off(const char* last, const char* type, const char* expected, const char* steps) {
  return std::string("warning lr_schedulers[0]: _last_lr is ") + last + ", but " + type + " gives " +
         expected + " after " + steps + " steps: set by hand, or changed";
}

}  // namespace

TEST_CASE("a scheduler's last rate is the one that its settings give") {
  const Case cases[] = {
      {kRule, "StepLR", alone(7, 0.00025, step), {}},
      {kRule, "MultiStepLR, two at once", alone(6, 0.00025, milestones), {}},
      {kRule, "ExponentialLR", alone(3, 0.000729, exponential), {}},
      {kRule, "ConstantLR", alone(3, 0.00025, constant), {}},
      {kRule, "ConstantLR at its end", alone(4, 0.001, constant), {}},
      {kRule,
       "ConstantLR without iterations, which never ends",
       alone(4, 0.00025,
             [](auto& b) {
               return Fields{{"factor", b.real(0.25)}, {"total_iters", b.integer(0)}};
             }),
       {}},
      {kRule, "LinearLR", alone(2, 0.00046, linear), {}},
      {kRule, "PolynomialLR", alone(1, 0.0005625, polynomial), {}},
      {kRule, "CosineAnnealingLR", alone(5, 0.00055, cosine), {}},
      {kRule, "CosineAnnealingLR, its second half", alone(20, 0.001, cosine), {}},
      {kRule, "CosineAnnealingWarmRestarts", alone(6, 0.00085355339, restarts), {}},
      {kRule, "OneCycleLR", with_cycle(alone(16, 0.007540386564725742, one_cycle)), {}},
      {kRule, "StepLR off", alone(7, 0.0005, step), {off("0.0005", "StepLR", "2.5e-04", "7")}},
      {kRule, "MultiStepLR off", alone(6, 0.001, milestones), {off("0.001", "MultiStepLR", "2.5e-04", "6")}},
      {kRule,
       "CosineAnnealingLR off",
       alone(5, 0.1, cosine),
       {off("0.1", "CosineAnnealingLR", "5.5e-04", "5")}},
      {kRule, "a rate of 0", alone(2, 0, linear), {off("0.0", "LinearLR", "4.6e-04", "2")}},
      {kRule,
       "OneCycleLR off",
       with_cycle(alone(16, 0.01, one_cycle)),
       {off("0.01", "OneCycleLR", "7.54e-03", "16")}},
      {kRule,
       "restarts elsewhere",
       alone(9, 0.00085355339, restarts),
       {"warning lr_schedulers[0].last_epoch: 9, but T_cur is 2 of 8: the restarts are not where "
        "last_epoch says"}},
      {kRule,
       "a class of a script",
       alone(5, 0.1,
             [](auto& b) {
               auto fields = cosine(b);
               fields.emplace_back("warmup", b.integer(3));
               return fields;
             }),
       {}},
      {kRule,
       "settings of another kind",
       alone(5, 0.1,
             [](auto& b) {
               return Fields{{"T_max", b.text("10")}, {"eta_min", b.none()}};
             }),
       {}},
      {kRule,
       "a period of 0",
       alone(5, 0.1,
             [](auto& b) {
               return Fields{{"T_max", b.integer(0)}, {"eta_min", b.integer(0)}};
             }),
       {}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("schedulers inside of another one are where that one is") {
  const Case cases[] = {
      {kRule, "SequentialLR", sequential(16, 11, 0), {}},
      {kRule,
       "SequentialLR that lost one of its schedulers",
       [](auto& b) {
         b.set(b.root, "lr_schedulers",
               b.list({b.dict({{"_milestones", b.list({b.integer(5)})},
                               {"last_epoch", b.integer(3)},
                               {"_last_lr", one(b, 0.0005)},
                               {"_schedulers", b.list({b.dict(state(b, 3, 0.0005, linear(b)))})}})}));
       },
       {"warning lr_schedulers[0]._schedulers: 1 of 2 schedulers: the state of the others is lost, and they "
        "start again"}},
      {kRule, "in its second part", sequential(8, 3, 0.00082743), {}},
      {kRule, "in its first part", sequential(4, -1, 0.00082), {}},
      {kRule,
       "behind",
       sequential(16, 2, 0),
       {"warning lr_schedulers[0]._schedulers[1].last_epoch: 2, but SequentialLR is at 16: expected 11, and "
        "the "
        "learning rate goes on from the wrong step"}},
      {kRule, "its rate off", sequential(8, 3, 0.1), {off("0.1", "CosineAnnealingLR", "8.27e-04", "3")}},
      {kRule, "ChainedScheduler", chained(3, 3, 0.00018225), {}},
      {kRule, "beyond its warm-up", chained(5, 5, 0.00059049), {}},
      {kRule,
       "apart",
       chained(5, 3, 0.00059049),
       {"warning lr_schedulers[0]._schedulers[1].last_epoch: 3, but the scheduler before it is at 5: "
        "ChainedScheduler "
        "steps all of them together"}},
      {kRule, "its product off", chained(3, 3, 0.001), {off("0.001", "ChainedScheduler", "1.82e-04", "3")}},
  };
  for (const auto& c : cases) check_case(c);
}

TEST_CASE("two schedulers of one optimizer find each other's rates") {
  check_case({kRule,
              "more schedulers than optimizers",
              [](auto& b) {
                b.set(
                    b.root, "lr_schedulers",
                    b.list({b.dict(state(b, 5, 0.1, cosine(b))), b.dict(state(b, 5, 0.1, exponential(b)))}));
              },
              {}});
}

TEST_CASE("last_epoch is an epoch only where the rate does not say otherwise") {
  const char* rule = "scheduler-last-epoch";
  const auto moved = [](int last, int steps, double rate) {
    return [=](CheckpointBuilder& b) {
      cycle_group(b);
      auto fields = state(b, last, rate, one_cycle(b));
      CheckpointBuilder::set(fields, "_step_count", b.integer(steps));
      b.set(b.root, "lr_schedulers", b.list({b.dict(fields)}));
    };
  };
  const Case cases[] = {
      {rule,
       "the rate of the steps",
       moved(2, 17, 0.007540386564725742),
       {"warning lr_schedulers[0].last_epoch: 2, but _step_count is 17, and every step adds one to both: "
        "expected 16"}},
      {rule, "the rate of the epoch", moved(2, 17, 0.0016250935), {}},
      {rule, "the rate of neither", moved(2, 17, 0.005), {}},
  };
  for (const auto& c : cases) check_case(c);
}
