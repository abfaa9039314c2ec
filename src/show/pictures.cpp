#include "show/pictures.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include <fmt/format.h>

#include "base/text.h"
#include "report/layer_grid.h"
#include "tensor/histogram.h"
#include "training/kept_scores.h"
#include "training/keys.h"
#include "training/rates.h"
#include "training/scores.h"

namespace ckpt::show {
namespace {

using report::Style;
constexpr std::size_t kLeastScores = 3;  // fewer make no curve

bool is_drawn(const Measured& one) { return one.stats->decoded && one.stats->numel > 0; }

void add_heat_map(std::span<const Measured> measured, report::Pictures& out) {
  std::vector<report::GridItem> items;
  for (const Measured& one : measured) {
    if (!one.is_weight || !is_drawn(one)) continue;
    const std::uint64_t finite = one.stats->numel - one.stats->nonfinite();
    items.push_back(
        {one.name, one.stats->l2 * one.stats->l2, static_cast<double>(finite), one.stats->nonfinite() > 0});
  }
  if (items.empty()) return;
  report::HeatMap map = report::layer_grid(items);
  map.title = "Size of the weights";
  map.note = "root mean square of the elements, by layer and role";
  out.heat_maps.push_back(std::move(map));
}

// Indexes into `measured`, what is worth looking at first: NaN, then weights, then size.
std::vector<std::size_t> most_interesting(std::span<const Measured> measured) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < measured.size(); ++i)
    if (is_drawn(measured[i]) && measured[i].stats->numel > 1) order.push_back(i);
  const auto rank = [&](std::size_t i) {
    const Measured& one = measured[i];
    return std::tuple(one.stats->nonfinite() == 0, !one.is_weight, ~one.stats->numel, i);
  };
  const std::size_t count = std::min(order.size(), kHistograms);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
  order.resize(count);
  return order;
}

std::string number_text(double value) {
  const bool whole = std::abs(value) < 1e15 && value == std::floor(value);
  return whole ? fmt::format("{:.0f}", value) : format_double(value);
}

// "0.001", or the range of several groups.
std::string rates_text(const std::vector<double>& rates) {
  if (rates.empty()) return "";
  const auto [least, most] = std::minmax_element(rates.begin(), rates.end());
  return *least == *most ? format_double(*least) : format_double(*least) + " to " + format_double(*most);
}

void add_nonfinite(std::span<const Measured> measured, std::vector<report::Highlight>& out) {
  if (measured.empty()) return;
  const auto bad = std::count_if(measured.begin(), measured.end(),
                                 [](const Measured& one) { return one.stats->nonfinite() > 0; });
  if (bad == 0)
    out.push_back({"NaN or Inf", "none", Style::kGood});
  else
    out.push_back({"NaN or Inf", "in " + plural(static_cast<std::uint64_t>(bad), "tensor"), Style::kError});
}

}  // namespace

void add_pictures(std::span<const Measured> measured, std::size_t jobs, report::Pictures& out) {
  add_heat_map(measured, out);
  const std::vector<std::size_t> chosen = most_interesting(measured);
  std::vector<tensor::StatsJob> todo;
  for (const std::size_t i : chosen) todo.push_back({&measured[i].record->view, measured[i].storage});
  const std::vector<tensor::Histogram> counts = tensor::compute_histograms(todo, jobs);
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    const Measured& one = measured[chosen[k]];
    const tensor::TensorView& view = one.record->view;
    const tensor::Histogram& h = counts[k];
    out.histograms.push_back(
        {one.name,
         fmt::format("{} {} · mean {} · std {}", tensor::short_name(view.dtype), format_shape(view.shape),
                     format_short(one.stats->mean), format_short(one.stats->std)),
         h.exponent, h.negative, h.positive, h.zeros, h.nan, h.posinf, h.neginf});
  }
  out.histograms_title = "Values";
  out.histograms_note =
      chosen.size() < measured.size()
          ? fmt::format("{} of {}: those with NaN or infinities first, then the largest weights",
                        chosen.size(), plural(measured.size(), "tensor"))
          : "";
}

void add_scores(const Opened& input, report::Pictures& out) {
  const auto kept = training::read_kept_scores(*input.file, input.training);
  if (!kept || kept->scores.size() < kLeastScores) return;
  report::Plot plot;
  plot.title = "Scores of the checkpoints kept";
  plot.note = "best_k_models of ModelCheckpoint";
  plot.x_name = std::string(kept->by);
  plot.y_name = kept->monitor.empty() ? "score" : kept->monitor;
  report::Series& series = plot.series.emplace_back();
  series.name = plot.y_name;
  for (const auto& [x, y] : kept->scores) {
    series.x.push_back(x);
    series.y.push_back(y);
  }
  out.plots.push_back(std::move(plot));
}

std::vector<report::Highlight> highlights(const Opened& input, const training::Amounts& amounts,
                                          std::span<const Measured> measured) {
  std::vector<report::Highlight> out;
  const training::Progress& progress = input.training.progress;
  if (progress.epoch) out.push_back({training::keys::kEpoch, number_text(*progress.epoch)});
  if (progress.global_step) out.push_back({"step", number_text(*progress.global_step)});
  for (const training::Score& score : training::read_scores(*input.file, input.training)) {
    if (!score.best) continue;
    out.push_back(
        {score.monitor.empty() ? "best score" : "best " + score.monitor, format_short(*score.best)});
    break;
  }
  if (const std::string rates = rates_text(training::learning_rates(*input.file, input.training));
      !rates.empty())
    out.push_back({"lr", rates});
  const training::Amount weights = amounts.of(training::Section::kWeights);
  if (weights.tensors > 0) {
    out.push_back({"parameters", format_count(weights.elements)});
    out.push_back({"weights", format_bytes(weights.bytes)});
  }
  out.push_back({"file", format_bytes(input.file->file_size)});
  add_nonfinite(measured, out);
  return out;
}

}  // namespace ckpt::show
