#include "diff/trajectory.h"

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "base/text.h"
#include "diff/trajectory_weights.h"

namespace ckpt::diff {
namespace {

std::optional<double> finite(std::optional<double> number) {
  return number && std::isfinite(*number) ? number : std::nullopt;
}

Point point_of(const Opened& input) {
  const Checkpoint& file = *input.file;
  const training::State& state = input.training;
  Point point;
  point.path = input.path;
  point.size = file.file_size;
  point.epoch = finite(state.progress.epoch);
  point.step = finite(state.progress.global_step);
  point.rates = training::group_rates(file, state);
  point.rule = training::rate_rule(file.tree, state);
  for (const training::Optimizer& optimizer : state.optimizers) {
    point.optimizers.push_back(optimizer.type);
    point.optimizer_steps.push_back(finite(training::first_step(file, optimizer)));
  }
  point.averaged = input.items.current_model_state != value::kNoNode;
  return point;
}

// One monitor for all: the one that most points have; of equals the first.
void choose_scores(std::span<const Opened* const> inputs, Trajectory& out) {
  std::vector<std::vector<training::Score>> scores;
  std::vector<std::string> monitors;
  std::map<std::string, std::size_t> counts;
  for (const Opened* input : inputs) {
    scores.push_back(training::read_scores(*input->file, input->training));
    for (const training::Score& score : scores.back())
      if (++counts[score.monitor] == 1) monitors.push_back(score.monitor);
  }
  if (monitors.empty()) return;
  out.monitor =
      *std::max_element(monitors.begin(), monitors.end(),
                        [&](const std::string& a, const std::string& b) { return counts[a] < counts[b]; });
  for (std::size_t k = 0; k < scores.size(); ++k) {
    for (training::Score& score : scores[k]) {
      // Of two callbacks with one monitor, the one that knows the score of this time.
      const bool better = !out.points[k].score || (!out.points[k].score->current && score.current);
      if (score.monitor != out.monitor || !better) continue;
      if (out.mode.empty()) out.mode = score.mode;
      out.points[k].score = std::move(score);
    }
  }
}

}  // namespace

double Movement::relative() const {
  if (difference > 0) return reference > 0 ? std::sqrt(difference / reference) : HUGE_VAL;
  const bool nothing_finite = nonfinite && (reference == 0 || moved > 0);
  return compared == 0 || nothing_finite ? kNone : 0;
}

bool Trajectory::has_trouble() const {
  return std::any_of(not_compared.begin(), not_compared.end(),
                     [](const NotCompared& item) { return item.trouble; });
}

std::string_view to_string(OddKind kind) {
  switch (kind) {
    case OddKind::kNonFinite: return "nonfinite";
    case OddKind::kStopped: return "stopped";
    case OddKind::kStarted: return "started";
    case OddKind::kStill: return "still";
    case OddKind::kNormJump: return "norm-jump";
    case OddKind::kRateJump: return "rate-jump";
    case OddKind::kScoreWorse: return "score-worse";
    case OddKind::kStepBack: return "step-back";
  }
  return "";
}

Order order_of(std::span<const Opened* const> inputs) {
  Order out;
  out.inputs.resize(inputs.size());
  std::iota(out.inputs.begin(), out.inputs.end(), std::size_t{0});
  const auto step = [&](std::size_t i) { return finite(inputs[i]->training.progress.global_step); };
  const auto epoch = [&](std::size_t i) { return finite(inputs[i]->training.progress.epoch); };
  const auto any = [&](const auto& key) {
    return std::any_of(out.inputs.begin(), out.inputs.end(),
                       [&](std::size_t i) { return key(i).has_value(); });
  };
  out.by = any(step) ? OrderedBy::kStep : any(epoch) ? OrderedBy::kEpoch : OrderedBy::kGiven;
  if (out.by == OrderedBy::kGiven) return out;
  const auto key = [&](std::size_t i) {
    const auto first = out.by == OrderedBy::kStep ? step(i) : epoch(i);
    return std::pair(first.value_or(HUGE_VAL), first ? epoch(i).value_or(-HUGE_VAL) : 0.0);
  };
  for (const std::size_t i : out.inputs) out.without += key(i).first == HUGE_VAL ? 1u : 0u;
  std::stable_sort(out.inputs.begin(), out.inputs.end(),
                   [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  return out;
}

std::string format_whole(double value) {
  return value == std::floor(value) && std::abs(value) < 1e15 ? fmt::format("{:.0f}", value)
                                                              : format_double(value);
}

std::string label_of(const Point& point, std::size_t index) {
  if (point.step) return "step " + format_whole(*point.step);
  return point.epoch ? "epoch " + format_whole(*point.epoch) : fmt::format("checkpoint {}", index + 1);
}

std::optional<double> score_of(const Point& point) {
  return point.score ? point.score->value() : std::nullopt;
}

std::optional<std::size_t> same_step(const Trajectory& t, std::size_t k) {
  if (k == 0 || !t.points[k].step || t.points[k - 1].step != t.points[k].step) return std::nullopt;
  while (k > 0 && t.points[k - 1].step == t.points[k].step) --k;
  return k;
}

bool is_duplicate(const Trajectory& t, std::size_t k) {
  const Point& point = t.points[k];
  return same_step(t, k) && point.previous.compared > 0 && point.previous.moved == 0 &&
         point.added + point.removed + point.reshaped == 0;
}

Trajectory follow(std::span<const Opened* const> inputs, OrderedBy by, const Options& options) {
  Trajectory out;
  out.by = by;
  for (const Opened* input : inputs) out.points.push_back(point_of(*input));
  choose_scores(inputs, out);
  follow_weights(inputs, options, out);
  find_odd(out);
  return out;
}

}  // namespace ckpt::diff
