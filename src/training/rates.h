// The learning rates of a file, and what its schedulers may do to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "training/state.h"

namespace ckpt::training {

struct GroupRate {
  std::size_t optimizer = 0;  // index into State::optimizers
  std::size_t group = 0;
  double lr = 0;
};
// `lr` of every group of every optimizer, in order: what the next step would use. Groups without a number, or
// a tensor of one, are left out. Throws Error where reading the file fails.
std::vector<GroupRate> group_rates(const Checkpoint& file, const State& state);
std::vector<double> learning_rates(const Checkpoint& file, const State& state);  // without the groups

// What the file's schedulers may do to learning rates.
enum class RateRule : std::uint8_t {
  kNone,     // there is no scheduler
  kFalling,  // none of them ever raises a rate: StepLR, ExponentialLR, cosine annealing within its period ...
  kFree,     // warm-up, cycles, restarts, a function of the user, or a type that is not known
};
RateRule rate_rule(const value::Tree& tree, const State& state);

}  // namespace ckpt::training
