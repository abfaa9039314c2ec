#include "diff/pictures.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "report/layer_grid.h"
#include "tensor/histogram.h"
#include "training/keys.h"
#include "training/rates.h"
#include "training/scores.h"

namespace ckpt::diff {
namespace {

using report::Highlight;
using report::Style;

std::string of_input(const Diff& diff, std::uint32_t input) {
  return diff.sides.size() > 2 ? " of " + diff.sides[input].input->path : "";
}

void add_heat_map(const Diff& diff, std::uint32_t input, report::Pictures& out) {
  std::vector<report::GridItem> items;
  for (const WeightPair& pair : diff.weight_pairs)
    if (pair.input == input) items.push_back({pair.name, pair.change, pair.base, pair.nonfinite});
  if (items.empty()) return;
  report::HeatMap map = report::layer_grid(items);
  map.title = "Relative change" + of_input(diff, input);
  map.note = "|new - old| / |old| of the weights, by layer and role";
  out.heat_maps.push_back(std::move(map));
}

// The sum of squared differences.
double square_change(const tensor::Delta& delta) {
  if (delta.l2_old > 0 && std::isfinite(delta.rel_l2)) {
    const double change = delta.rel_l2 * delta.l2_old;
    return change * change;
  }
  return delta.rms * delta.rms * static_cast<double>(delta.numel);
}

// Changes of weights, the largest first; those with NaN or infinities before all others.
std::vector<const Change*> most_changed(const Diff& diff) {
  std::vector<const Change*> out;
  for (const Change& change : diff.changes)
    if (change.delta && change.delta->decoded && change.delta->numel > 1 && change.part == Part::kWeights)
      out.push_back(&change);
  const auto rank = [](const Change* change) {
    const tensor::Delta& delta = *change->delta;
    return delta.nan_new + delta.inf_new > 0 ? HUGE_VAL : square_change(delta);
  };
  const std::size_t count = std::min(out.size(), kHistograms);
  std::stable_sort(out.begin(), out.end(),
                   [&](const Change* a, const Change* b) { return rank(a) > rank(b); });
  out.resize(count);
  return out;
}

tensor::StatsJob job_of(const Side& side, const Slot& slot) {
  const TensorRecord& record = side.record(slot);
  return {&record.view, readable_storage(side.file(), record)};
}

void add_histograms(const Diff& diff, std::size_t jobs, report::Pictures& out) {
  const std::vector<const Change*> chosen = most_changed(diff);
  std::vector<tensor::DeltaJob> todo;
  for (const Change* change : chosen)
    todo.push_back(
        {job_of(diff.sides[0], change->old_slot), job_of(diff.sides[change->input], change->new_slot), {}});
  const std::vector<tensor::Histogram> counts = tensor::compute_histograms(todo, jobs);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const tensor::Delta& delta = *chosen[i]->delta;
    const tensor::TensorView& view = *todo[i].new_tensor.view;
    const tensor::Histogram& h = counts[i];
    out.histograms.push_back(
        {std::string(chosen[i]->name) + of_input(diff, chosen[i]->input),
         fmt::format("{} {} · rel L2 {} · max |Δ| {}", tensor::short_name(view.dtype),
                     format_shape(view.shape), format_short(delta.rel_l2), format_short(delta.max_abs)),
         h.exponent, h.negative, h.positive, h.zeros, h.nan, h.posinf, h.neginf});
  }
  const auto changed =
      static_cast<std::uint64_t>(std::count_if(diff.changes.begin(), diff.changes.end(), [](const Change& c) {
        return c.delta && c.part == Part::kWeights;
      }));
  out.histograms_title = "Differences";
  out.histograms_note =
      chosen.size() < changed
          ? fmt::format("new - old; {} of {} weights that differ: those that contribute most", chosen.size(),
                        changed)
          : "new - old";
}

// --- highlights ----------------------------------------------------------------------------------------

std::string both(const std::string& a, const std::string& b) { return a == b ? a : a + " → " + b; }

std::string number_text(const std::optional<double>& value) {
  if (!value) return "-";
  const bool whole = std::abs(*value) < 1e15 && *value == std::floor(*value);
  return whole ? fmt::format("{:.0f}", *value) : format_double(*value);
}

void add_number(std::string label, const std::optional<double>& a, const std::optional<double>& b,
                std::vector<Highlight>& out) {
  if (a || b) out.push_back({std::move(label), both(number_text(a), number_text(b))});
}

// "0.001", or the range of several groups.
std::string rates_text(const std::vector<double>& rates) {
  if (rates.empty()) return "-";
  const auto [least, most] = std::minmax_element(rates.begin(), rates.end());
  return *least == *most ? format_double(*least) : format_double(*least) + " to " + format_double(*most);
}

// The first score of each, which is the one that the run is judged by.
void add_score(const Opened& a, const Opened& b, std::vector<Highlight>& out) {
  const auto first = [](const Opened& input) {
    const auto scores = training::read_scores(*input.file, input.training);
    return scores.empty() ? training::Score{} : scores.front();
  };
  const training::Score before = first(a);
  const training::Score after = first(b);
  if (!before.best && !after.best) return;
  const std::string& monitor = after.monitor.empty() ? before.monitor : after.monitor;
  const auto text = [](const std::optional<double>& score) {
    return score ? format_short(*score) : std::string("-");
  };
  out.push_back(
      {monitor.empty() ? "best score" : "best " + monitor, both(text(before.best), text(after.best))});
}

void add_change(const Diff& diff, std::vector<Highlight>& out) {
  double change = 0, base = 0;
  std::uint64_t moved = 0, bad = 0;
  for (const WeightPair& pair : diff.weight_pairs) {
    change += pair.change;
    base += pair.base;
    moved += pair.change > 0 || pair.nonfinite ? 1U : 0U;
    bad += pair.nonfinite ? 1U : 0U;
  }
  if (diff.weight_pairs.empty()) return;
  out.push_back({"relative change", change == 0 ? "none" : format_short(std::sqrt(change / base))});
  out.push_back({"weights that moved", fmt::format("{} of {}", moved, diff.weight_pairs.size())});
  if (bad > 0) out.push_back({"NaN or Inf", "in " + plural(bad, "tensor"), Style::kError});
}

void add_compat(const Compatibility& compat, std::vector<Highlight>& out) {
  for (const Profile profile : {Profile::kResume, Profile::kLoad}) {
    if (profile == Profile::kResume && !compat.resumable) continue;
    std::string label = profile == Profile::kResume ? "can be resumed" : "can be loaded";
    if (!compat.judged(profile))
      out.push_back({std::move(label), "cannot be judged", Style::kDim});
    else if (compat.holds(profile))
      out.push_back({std::move(label), "yes", Style::kGood});
    else
      out.push_back(
          {std::move(label), fmt::format("no ({})", plural(compat.count(profile), "reason")), Style::kError});
  }
}

}  // namespace

WeightPair weight_pair(std::uint32_t input, std::string_view name, const tensor::Delta& delta) {
  return {input, name, square_change(delta), delta.l2_old * delta.l2_old, delta.nan_new + delta.inf_new > 0};
}

void add_pictures(const Diff& diff, std::size_t jobs, report::Pictures& out) {
  for (std::uint32_t input = 1; input < diff.sides.size() && input <= kHeatMaps; ++input)
    add_heat_map(diff, input, out);
  add_histograms(diff, jobs, out);
}

std::vector<Highlight> highlights(const Diff& diff, const Compatibility* compat) {
  std::vector<Highlight> out;
  if (diff.sides.size() != 2) {
    if (compat != nullptr) add_compat(*compat, out);
    return out;
  }
  const Opened& a = *diff.sides[0].input;
  const Opened& b = *diff.sides[1].input;
  add_number(training::keys::kEpoch, a.training.progress.epoch, b.training.progress.epoch, out);
  add_number("step", a.training.progress.global_step, b.training.progress.global_step, out);
  add_score(a, b, out);
  const std::string before = rates_text(training::learning_rates(*a.file, a.training));
  const std::string after = rates_text(training::learning_rates(*b.file, b.training));
  if (before != "-" || after != "-") out.push_back({"lr", both(before, after)});
  add_change(diff, out);
  if (compat != nullptr) add_compat(*compat, out);
  return out;
}

}  // namespace ckpt::diff
