#include "training/rates.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "training/keys.h"
#include "training/scalar.h"
#include "value/access.h"

namespace ckpt::training {
namespace {

using value::member;
using value::Tree;

// Without a way to raise a rate (torch/optim/lr_scheduler.py); ReduceLROnPlateau multiplies by factor < 1.
constexpr std::array<std::string_view, 5> kFallingTypes = {"StepLR", "MultiStepLR", "ExponentialLR",
                                                           "PolynomialLR", "ReduceLROnPlateau"};

// Cosine annealing rises again after T_max; a factor above 1 makes any of them rise.
bool only_falls(const Tree& tree, const Scheduler& scheduler) {
  const auto number = [&](std::string_view key) {
    return value::number_of(tree, member(tree, scheduler.node, key));
  };
  if (scheduler.type == "CosineAnnealingLR") {
    const auto last = last_epoch_of(tree, scheduler);
    const auto period = number("T_max");
    return last && period && static_cast<double>(*last) <= *period;
  }
  if (std::find(kFallingTypes.begin(), kFallingTypes.end(), scheduler.type) == kFallingTypes.end())
    return false;
  return number("gamma").value_or(0) <= 1 && number("factor").value_or(0) <= 1;
}

}  // namespace

std::vector<GroupRate> group_rates(const Checkpoint& file, const State& state) {
  std::vector<GroupRate> rates;
  for (std::size_t i = 0; i < state.optimizers.size(); ++i)
    for (std::size_t g = 0; g < state.optimizers[i].groups.size(); ++g)
      if (const NodeId node = member(file.tree, state.optimizers[i].groups[g].node, keys::kLr);
          node != kNoNode)
        if (const auto lr = scalar_value(file, node)) rates.push_back({i, g, *lr});
  return rates;
}

std::vector<double> learning_rates(const Checkpoint& file, const State& state) {
  std::vector<double> rates;
  for (const GroupRate& rate : group_rates(file, state)) rates.push_back(rate.lr);
  return rates;
}

RateRule rate_rule(const Tree& tree, const State& state) {
  if (state.schedulers.empty()) return RateRule::kNone;
  const bool falls = !is_finetuned(tree, state.callbacks) &&
                     std::all_of(state.schedulers.begin(), state.schedulers.end(),
                                 [&](const Scheduler& scheduler) { return only_falls(tree, scheduler); });
  return falls ? RateRule::kFalling : RateRule::kFree;
}

}  // namespace ckpt::training
