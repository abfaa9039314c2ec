#include "training/standing.h"

#include <algorithm>
#include <array>
#include <cmath>
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

// 'monitor': 'val_loss' -> val_loss, of a key like ModelCheckpoint{'monitor': 'val_loss', 'mode': 'min'}.
std::string argument_of(std::string_view key, std::string_view name) {
  const std::string start = "'" + std::string(name) + "': '";
  const std::size_t begin = key.find(start);
  if (begin == key.npos) return {};
  const std::size_t end = key.find('\'', begin + start.size());
  return end == key.npos ? std::string()
                         : std::string(key.substr(begin + start.size(), end - begin - start.size()));
}

}  // namespace

std::vector<GroupRate> learning_rates(const Checkpoint& file, const std::vector<Optimizer>& optimizers) {
  std::vector<GroupRate> rates;
  for (std::size_t i = 0; i < optimizers.size(); ++i)
    for (std::size_t g = 0; g < optimizers[i].groups.size(); ++g)
      if (const auto lr = scalar_value(file, member(file.tree, optimizers[i].groups[g].node, keys::kLr)))
        rates.push_back({i, g, *lr});
  return rates;
}

RateRule rate_rule(const Tree& tree, const State& state) {
  if (state.schedulers.empty()) return RateRule::kNone;
  const bool falls = !is_finetuned(tree, state.callbacks) &&
                     std::all_of(state.schedulers.begin(), state.schedulers.end(),
                                 [&](const Scheduler& scheduler) { return only_falls(tree, scheduler); });
  return falls ? RateRule::kFalling : RateRule::kFree;
}

std::vector<Score> monitored_scores(const Checkpoint& file, const std::vector<Callback>& callbacks) {
  constexpr std::string_view kCurrent = "current_score", kBest = "best_model_score";
  const Tree& tree = file.tree;
  std::vector<Score> scores;
  for (const Callback& callback : callbacks) {
    const auto current = scalar_value(file, member(tree, callback.state, kCurrent));
    const auto best = current ? std::nullopt : scalar_value(file, member(tree, callback.state, kBest));
    if (!current && !best) continue;
    Score& score = scores.emplace_back();
    score.value = current ? *current : *best;
    score.best_only = !current;
    score.path = value::key_path(callback.path(tree), current ? kCurrent : kBest);
    if (const auto monitor = value::string_of(tree, member(tree, callback.state, "monitor")))
      score.monitor = *monitor;
    if (score.monitor.empty()) score.monitor = argument_of(callback.key, "monitor");
    score.mode = argument_of(callback.key, "mode");
  }
  return scores;
}

}  // namespace ckpt::training
