#include "diff/compat_numbers.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"
#include "tensor/stats.h"
#include "training/keys.h"
#include "value/access.h"

namespace ckpt::diff {
namespace {

namespace keys = training::keys;
using training::Section;
using value::kNoNode;

constexpr std::string_view kFit = "Trainer.fit(ckpt_path=...)";
constexpr std::string_view kLoads = "loads it silently and trains on with it";

// callbacks["StochasticWeightAveraging"].average_model_state.module...
bool is_average_of_callback(const Change& change) {
  return change.section == Section::kCallbacks &&
         change.path.find("." + std::string(keys::kAverageModelState)) != change.path.npos;
}

bool is_average(const Change& change) {
  return change.section == Section::kAveraging || is_average_of_callback(change);
}

// Other numbers of callbacks, scores among them, may be NaN or infinite in a healthy run.
bool trains_on_with(const Change& change) {
  return change.section == Section::kOptimizers || change.section == Section::kSchedulers ||
         change.section == Section::kPrecision || is_average(change);
}

// --- NaN and infinity ----------------------------------------------------------------------------------

struct Nonfinite {
  std::uint64_t nan = 0, inf = 0;
};

std::string describe(const Nonfinite& now, const Nonfinite& base) {
  return fmt::format("{} NaN and {} Inf (base: {} and {}): {} loads them silently and trains on with them",
                     now.nan, now.inf, base.nan, base.inf, kFit);
}

// Of a tensor that was not compared element by element: the base has none there, or another shape.
std::optional<std::string> in_new_tensor(const Side& side, const Change& change) {
  const TensorRecord& record = side.record(change.new_slot);
  const tensor::Storage* storage = readable_storage(side.file(), record);
  if (storage == nullptr) return std::nullopt;
  const tensor::Stats stats = tensor::compute_stats(record.view, *storage);
  if (!stats.decoded || stats.nonfinite() == 0) return std::nullopt;
  return describe({stats.nan, stats.posinf + stats.neginf}, {});
}

std::optional<std::string> in_delta(const tensor::Delta& d) {
  if (!d.decoded || (d.nan_new <= d.nan_old && d.inf_new <= d.inf_old)) return std::nullopt;
  return describe({d.nan_new, d.inf_new}, {d.nan_old, d.inf_old});
}

std::optional<double> number_at(const Side& side, const Slot& slot) {
  if (slot.kind != SlotKind::kLeaf) return std::nullopt;
  return value::number_of(side.tree(slot), side.leaf(slot).node);
}

// An infinity may be a setting, or the best score so far (ReduceLROnPlateau): it counts where the base has a
// finite number that is no score.
std::optional<std::string> in_value(const Diff& diff, const Change& change) {
  const auto now = number_at(diff.sides[change.input], change.new_slot);
  if (!now || std::isfinite(*now)) return std::nullopt;
  const auto base = number_at(diff.sides[0], change.old_slot);
  if (base && std::isnan(*base) == std::isnan(*now) && !std::isfinite(*base)) return std::nullopt;
  if (!std::isnan(*now) && (!base || change.path.ends_with(".best"))) return std::nullopt;
  return fmt::format("{}{}: {} {}", format_double(*now),
                     base ? " (base: " + format_double(*base) + ")" : std::string(), kFit, kLoads);
}

std::optional<std::string> nonfinite(const Diff& diff, const Change& change) {
  if (change.delta) return in_delta(*change.delta);
  if (change.new_slot.kind == SlotKind::kLeaf) return in_value(diff, change);
  const bool compared = change.kind == ChangeKind::kDType || change.kind == ChangeKind::kDevice;
  if (change.new_slot.kind != SlotKind::kTensor || compared) return std::nullopt;
  return in_new_tensor(diff.sides[change.input], change);
}

// --- what cannot be computed with ------------------------------------------------------------------------

// torch's classes read these by name (torch/optim/*.py; torch/amp/grad_scaler.py, load_state_dict).
constexpr std::string_view kRequired[] = {keys::kStep,
                                          "exp_avg",
                                          "exp_avg_sq",
                                          "exp_inf",
                                          "square_avg",
                                          "acc_delta",
                                          "sum",
                                          "prev",
                                          "step_size",
                                          "eta",
                                          "mu",
                                          "ax",
                                          "mu_product",
                                          keys::kScale,
                                          keys::kGrowthFactor,
                                          keys::kBackoffFactor,
                                          keys::kGrowthInterval,
                                          keys::kGrowthTracker};

std::string_view parent_of(std::string_view path) {
  const auto dot = path.rfind('.');
  return dot == path.npos ? std::string_view() : path.substr(0, dot);
}

std::string_view last_key(std::string_view path) {
  const std::string_view parent = parent_of(path);
  return parent.empty() ? parent : path.substr(parent.size() + 1);
}

// The fields of optimizer and scaler state that the base has and an input lacks. Where all fields of a dict
// are gone, the parameter is frozen or new, and nothing raises.
class LostFields {
 public:
  LostFields(const Diff& diff, std::uint32_t input) {
    for (const Change& change : diff.changes)
      if (change.input == input && is_field(change)) ++of_[parent_of(change.path)].gone;
    if (of_.empty()) return;
    for (const Place& place : diff.sides[0].places)
      if (const auto found = of_.find(parent_of(place.path)); found != of_.end()) ++found->second.all;
  }

  std::optional<std::string> judge(const Change& change) const {
    const std::string_view key = last_key(change.path);
    if (!is_field(change) ||
        std::find(std::begin(kRequired), std::end(kRequired), key) == std::end(kRequired))
      return std::nullopt;
    const Fields& fields = of_.at(parent_of(change.path));
    if (fields.gone >= fields.all) return std::nullopt;
    return fmt::format("{} raises KeyError: '{}'", kFit, key);
  }

 private:
  struct Fields {
    std::size_t gone = 0, all = 0;
  };

  static bool is_field(const Change& change) {
    return change.kind == ChangeKind::kRemoved &&
           (change.section == Section::kOptimizers || change.section == Section::kPrecision);
  }

  std::unordered_map<std::string_view, Fields> of_;  // by the path of the dict, in the base
};

// --- averages ------------------------------------------------------------------------------------------

// load_state_dict of the live weights and of the average is strict.
std::string_view misfit_of(ChangeKind kind) {
  if (kind == ChangeKind::kRemoved) return "missing key";
  if (kind == ChangeKind::kAdded) return "unexpected key";
  if (kind == ChangeKind::kShape) return "size mismatch";
  return kind == ChangeKind::kType ? "not a tensor any more" : std::string_view();
}

}  // namespace

std::vector<Obstacle> judge_numbers(const Diff& diff, std::uint32_t input) {
  std::vector<Obstacle> out;
  const LostFields lost(diff, input);
  for (const Change& change : diff.changes) {
    if (change.input != input || !trains_on_with(change)) continue;
    if (auto message = nonfinite(diff, change))
      out.push_back({"compat-state-nonfinite", std::string(change.path), std::move(*message)});
    if (auto message = lost.judge(change))
      out.push_back({"compat-state-incomplete", std::string(change.path), std::move(*message)});
  }
  return out;
}

std::vector<Obstacle> judge_averaging(const Diff& diff, std::uint32_t input) {
  const training::Items& base = diff.sides[0].items();
  const training::Items& other = diff.sides[input].items();
  const auto averaged = [](const training::Items& items) {
    return items.current_model_state != kNoNode && items.averaging_state != kNoNode;
  };
  if (base.current_model_state == kNoNode && other.current_model_state != kNoNode)
    return {{"compat-averaged", std::string(other.state_dict_path),
             fmt::format("{} continues from the average in state_dict; the live weights are in {}", kFit,
                         keys::kCurrentModelState)}};
  if (averaged(base) && !averaged(other))
    return {{"compat-averaging-missing",
             other.current_model_state == kNoNode ? keys::kCurrentModelState : keys::kAveragingState,
             fmt::format("{} silently starts a new average from state_dict", kFit)}};
  std::vector<Obstacle> out;
  for (const Change& change : diff.changes) {
    if (change.input != input || !is_average(change)) continue;
    if (const std::string_view misfit = misfit_of(change.kind); !misfit.empty())
      out.push_back({"compat-averaging-shape", std::string(change.path),
                     fmt::format("{} raises RuntimeError: {}", kFit, misfit)});
  }
  return out;
}

}  // namespace ckpt::diff
