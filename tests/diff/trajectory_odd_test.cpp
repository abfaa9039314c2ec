// What is odd about a run, and that what healthy runs do is not.
#include <limits>

#include "tests/diff/trajectory_support.h"

using namespace ckpt;
using test::follow;
using test::Moment;
using test::odd_of;

namespace {

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();  // NAN is a float

// A run whose weights all move, with a list of rates.
std::string odd_rates(const std::vector<double>& rates, const std::string& schedule) {
  std::vector<Moment> run;
  for (const double lr : rates) {
    run.push_back(test::moving(run.size()));
    run.back().lr = lr;
    run.back().schedule = schedule;
  }
  return odd_of(follow(run));
}

std::string odd_scores(const std::vector<double>& scores, const std::string& mode) {
  std::vector<Moment> run;
  for (const double score : scores) {
    run.push_back(test::moving(run.size()));
    run.back().score = score;
    run.back().mode = mode;
  }
  return odd_of(follow(run));
}

TEST_CASE("a rate that no schedule explains is odd") {
  CHECK(odd_rates({1e-3, 1e-3, 5e-2}, "") ==
        "step 20 rate-jump: lr: 1e-03 -> 5e-02, with no scheduler in the file\n");
  CHECK(odd_rates({1e-3, 1e-4, 1e-3}, "") ==
        "step 20 rate-jump: lr: 1e-04 -> 1e-03, with no scheduler in the file\n");
  CHECK(odd_rates({1e-3, 1e-3, 1e-6}, "") ==
        "step 20 rate-jump: lr: 1e-03 -> 1e-06, with no scheduler in the file\n");
  CHECK(odd_rates({1e-3, 1e-4, 5e-4}, "step_size") ==
        "step 20 rate-jump: lr: 1e-04 -> 5e-04, which its scheduler does not do\n");
  CHECK(odd_rates({1e-3, kNoNumber}, "step_size") ==
        "step 10 rate-jump: lr: 1e-03 -> nan, which its scheduler does not do\n");
}

TEST_CASE("rates of healthy schedules are not odd") {
  CHECK(odd_rates({1e-3, 1e-3, 1e-3}, "").empty());
  CHECK(odd_rates({0, 5e-4, 1e-3, 8e-4, 1e-4, 0}, "").empty());            // warm-up and decay by hand
  CHECK(odd_rates({1e-7, 1e-3, 1e-3, 1e-4}, "").empty());                  // a step by hand
  CHECK(odd_rates({1e-3, 1e-5, 1e-8}, "step_size").empty());               // several steps at a time
  CHECK(odd_rates({4e-5, 1e-3, 4e-9}, "total_steps").empty());             // OneCycleLR
  CHECK(odd_rates({1e-3, 1e-6, 1e-3}, "T_mult").empty());                  // warm restarts
  CHECK(odd_rates({1e-3, 1e-6, 1e-3}, "lr_lambdas").empty());              // anything
  CHECK(odd_rates({1e-3, 1e-3 * (1 + 1e-9), 1e-3}, "step_size").empty());  // rounding
}

TEST_CASE("NaN that appear are odd once, where they appear") {
  CHECK(odd_of(follow({{.step = 1},
                       {.step = 2, .first = {NAN, 2}, .second = {3, INFINITY}, .head = {5, 6.5F}},
                       {.step = 3, .first = {NAN, NAN}, .second = {NAN, INFINITY}, .head = {NAN, 7}}})) ==
        "step 2 nonfinite: 1 NaN and 1 infinite element in layers.{0,1}\n"
        "step 3 nonfinite: 2 NaNs in layers.1, head\n");
  // Masks: infinite from the first checkpoint on.
  CHECK(odd_of(follow({{.step = 1, .head = {-INFINITY, 6}},
                       {.step = 2, .first = {2, 2}, .head = {-INFINITY, 7}}}))
            .empty());
  CHECK(odd_of(follow({{.step = 1, .head = {NAN, 6}}, {.step = 2, .first = {2, 2}, .head = {NAN, 7}}})) ==
        "step 1 nonfinite: 1 NaN in head\n");
}

TEST_CASE("a module that stops or starts while others move is odd, a frozen one is not") {
  CHECK(odd_of(follow({{.step = 1},
                       {.step = 2, .first = {1, 2.1F}, .head = {5, 6.1F}},
                       {.step = 3, .first = {1, 2.1F}, .head = {5, 6.2F}},
                       {.step = 4, .first = {1, 2.1F}, .second = {3, 4.1F}, .head = {5, 6.3F}}})) ==
        "step 3 stopped: layers.0: no change since step 2, others move\n"
        "step 4 started: layers.1: first change since step 1\n");
  CHECK(
      odd_of(follow({{.step = 1}, {.step = 2, .head = {5, 6.1F}}, {.step = 3, .head = {5, 6.2F}}})).empty());
}

TEST_CASE("steps without any change are odd, a second file of one step is not") {
  CHECK(odd_of(follow({{.step = 1}, {.step = 2}})) == "step 2 still: no weight has moved since step 1\n");
  CHECK(odd_of(follow({{.step = 1},
                       {.step = 2, .first = {1, 2.1F}, .second = {3, 4.1F}, .head = {5, 6.1F}},
                       {.step = 2, .first = {1, 2.1F}, .second = {3, 4.1F}, .head = {5, 6.1F}},
                       {.step = 3, .first = {1, 2.2F}, .second = {3, 4.2F}, .head = {5, 6.2F}}}))
            .empty());
}

TEST_CASE("a norm that runs away is odd, one that grows at the start is not") {
  const auto run = [](const std::vector<float>& heads) {
    std::vector<Moment> out;
    for (const float head : heads) {
      out.push_back(test::moving(out.size()));
      out.back().head = {head, 0};
    }
    return odd_of(follow(out));
  };
  CHECK(run({1, 1.1F, 1.2F, 4}) == "step 30 norm-jump: |w| of head: 1.2 -> 4\n");
  CHECK(run({1, 1.1F, 1.2F, 0.5F}) == "step 30 norm-jump: |w| of head: 1.2 -> 0.5\n");
  CHECK(run({1, 20}) == "step 10 norm-jump: |w| of head: 1 -> 20\n");
  CHECK(run({1, 4, 7, 9, 10}).empty());  // slower and slower
  CHECK(run({1, 4, 9, 20}).empty());     // steady
  CHECK(run({0, 4, 4.5F}).empty());      // began with zeros
}

TEST_CASE("a long interval may change more than a short one") {
  CHECK(odd_of(follow({{.step = 0, .head = {1, 0}},
                       {.step = 10, .first = {1, 2.1F}, .second = {3, 4.1F}, .head = {1.2F, 0}},
                       {.step = 1000, .first = {1, 2.2F}, .second = {3, 4.2F}, .head = {5, 0}}}))
            .empty());
}

TEST_CASE("a score that loses what was won, or is no number, is odd") {
  CHECK(odd_scores({2, 0.5, 0.4, 1.9, 2.1}, "min") ==
        "step 30 score-worse: val_loss: 1.9, and it was 0.4 before\n");
  CHECK(odd_scores({0.1, 0.9, 0.2}, "max") == "step 20 score-worse: val_loss: 0.2, and it was 0.9 before\n");
  CHECK(odd_scores({2, 1, kNoNumber, kNoNumber}, "min") == "step 20 score-worse: val_loss is nan\n");
  CHECK(odd_scores({2, 0.5, 0.7, 0.55}, "min").empty());  // noise
  CHECK(odd_scores({2, 0.01, 0.03}, "min").empty());      // of a small score
  CHECK(odd_scores({0.1, 0.9, 0.8}, "max").empty());
  CHECK(odd_scores({1, 5}, "").empty());  // nobody says which way is better
}

TEST_CASE("an epoch or an optimizer's step that goes back is odd") {
  const auto at = [](double step, double epoch, double optimizer_step, float x) {
    Moment m{.step = step, .epoch = epoch, .first = {x, 2}, .second = {x, 4}, .head = {x, 6}};
    m.lr = 1e-3;
    m.optimizer_step = optimizer_step;
    return m;
  };
  CHECK(odd_of(follow({at(10, 1, 10, 1), at(20, 0, 20, 1.1F)})) == "step 20 step-back: epoch: 1 -> 0\n");
  CHECK(odd_of(follow({at(10, 1, 10, 1), at(20, 2, 5, 1.1F)})) ==
        "step 20 step-back: optimizer 0 began anew: its step 10 -> 5\n");
  CHECK(odd_of(follow({at(10, 1, 10, 1), at(20, 2, 20, 1.1F)})).empty());
}

}  // namespace
