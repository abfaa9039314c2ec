#include "show/overview.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "tensor/stats.h"
#include "training/amounts.h"
#include "training/keys.h"
#include "training/scalar.h"
#include "training/rates.h"
#include "training/scores.h"
#include "value/access.h"

namespace ckpt::show {
namespace {

namespace keys = training::keys;
using report::Cell;
using report::Line;
using report::Object;
using report::Style;

// A checkpoint in the numbers that people compare.
struct Row {
  std::string path, kind, format;
  std::optional<std::int64_t> epoch, step;
  std::vector<double> rates;
  std::optional<training::Score> score;
  training::Amount weights;
  std::uint64_t size = 0;
  std::optional<std::uint64_t> nonfinite;  // elements of the weights; only where asked for
};

std::optional<std::int64_t> whole(const value::Tree& tree, value::NodeId node) {
  if (!value::is_kind(tree, node, value::Kind::kInt)) return std::nullopt;
  return tree.integer(node);
}

// NaN and infinite elements of the weights.
std::uint64_t count_nonfinite(const Opened& input, std::size_t threads) {
  const Checkpoint& file = *input.file;
  std::vector<tensor::StatsJob> jobs;
  for (const TensorEntry& entry : file.entries) {
    if (training::section_of(input.items, entry.path) != training::Section::kWeights) continue;
    const TensorRecord& record = file.record_of(entry);
    if (const tensor::Storage* storage = readable_storage(file, record))
      jobs.push_back({&record.view, storage});
  }
  std::uint64_t count = 0;
  for (const tensor::Stats& stats : tensor::compute_stats_all(jobs, threads)) count += stats.nonfinite();
  return count;
}

Row row_of(const Opened& input, const Options& options) {
  const Checkpoint& file = *input.file;
  Row row;
  row.path = input.path;
  row.kind = training::describe(input.items.kind);
  row.format = file.format;
  row.epoch = whole(file.tree, input.items.epoch);
  row.step = whole(file.tree, input.items.global_step);
  row.rates = training::learning_rates(file, input.training);
  if (auto scores = training::read_scores(file, input.training); !scores.empty())
    row.score = std::move(scores[0]);
  row.weights = training::count_amounts(file, input.items).of(training::Section::kWeights);
  row.size = file.file_size;
  if (options.stats) row.nonfinite = count_nonfinite(input, options.jobs);
  return row;
}

// --- for people -----------------------------------------------------------------------------------------

Cell cell(std::string text, std::uint8_t drop, Style style = Style::kPlain) {
  Cell out;
  out.text = std::move(text);
  out.right = true;
  out.drop = drop;
  out.style = style;
  return out;
}

std::string shown(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : "-";
}

// "0.001", or the range of several groups.
std::string rates_text(std::vector<double> rates) {
  if (rates.empty()) return "-";
  const auto [least, most] = std::minmax_element(rates.begin(), rates.end());
  return *least == *most ? fmt::format("{:.4g}", *least) : fmt::format("{:.3g} to {:.3g}", *least, *most);
}

std::string score_text(const std::optional<training::Score>& score) {
  if (!score) return "-";
  const std::optional<double> value = score->current ? score->current : score->best;
  return value ? fmt::format("{:.6g}", *value) : "-";
}

// The columns that some checkpoint has something for.
struct Columns {
  bool epoch = false, step = false, score = false, rate = false, nonfinite = false;
  std::string monitor = "score";
};

Columns columns_of(const std::vector<Row>& rows) {
  Columns out;
  std::vector<std::string> monitors;
  for (const Row& row : rows) {
    out.epoch = out.epoch || row.epoch;
    out.step = out.step || row.step;
    out.score = out.score || row.score;
    out.rate = out.rate || !row.rates.empty();
    out.nonfinite = out.nonfinite || row.nonfinite;
    if (row.score) monitors.push_back(row.score->monitor);
  }
  const bool one =
      !monitors.empty() && std::all_of(monitors.begin(), monitors.end(),
                                       [&](const std::string& name) { return name == monitors.front(); });
  if (one && !monitors.front().empty()) out.monitor = one_line(abbreviate(monitors.front(), 20));
  return out;
}

Line heading(const Columns& columns) {
  Line line;
  line.cells.push_back({"", Style::kDim});
  const auto add = [&](bool wanted, std::string text, std::uint8_t drop) {
    if (wanted) line.cells.push_back(cell(std::move(text), drop, Style::kDim));
  };
  add(columns.epoch, keys::kEpoch, 2);
  add(columns.step, "step", 0);
  add(columns.score, columns.monitor, 0);
  add(columns.rate, "lr", 1);
  add(true, "weights", 4);
  add(columns.nonfinite, "NaN, Inf", 0);
  add(true, "size", 3);
  return line;
}

Line line_of(const Row& row, const Columns& columns) {
  Line line;
  line.cells.push_back({one_line(row.path), Style::kStrong});
  line.cells.back().elide = true;
  const auto add = [&](bool wanted, std::string text, std::uint8_t drop, Style style = Style::kPlain) {
    if (wanted) line.cells.push_back(cell(std::move(text), drop, style));
  };
  add(columns.epoch, shown(row.epoch), 2);
  add(columns.step, shown(row.step), 0);
  add(columns.score, score_text(row.score), 0);
  add(columns.rate, rates_text(row.rates), 1);
  add(true, format_count(row.weights.elements), 4);
  add(columns.nonfinite, row.nonfinite ? std::to_string(*row.nonfinite) : "-", 0,
      row.nonfinite.value_or(0) > 0 ? Style::kError : Style::kPlain);
  add(true, format_bytes(row.size), 3, Style::kDim);
  return line;
}

// --- for programs ---------------------------------------------------------------------------------------

template <class T>
report::Value or_null(const std::optional<T>& value) {
  return value ? report::Value(*value) : report::Value(nullptr);
}

Object object_of(const Row& row) {
  report::List rates;
  for (const double rate : row.rates) rates.emplace_back(rate);
  Object out = {{"path", row.path},
                {"kind", row.kind},
                {"format", row.format},
                {keys::kEpoch, or_null(row.epoch)},
                {keys::kGlobalStep, or_null(row.step)},
                {"lr", std::move(rates)},
                {"tensors", row.weights.tensors},
                {"elements", row.weights.elements},
                {"size", row.size}};
  if (row.score) {
    out.push_back({"monitor", row.score->monitor});
    out.push_back({"score", or_null(row.score->current)});
    out.push_back({"best_score", or_null(row.score->best)});
  }
  if (row.nonfinite) out.push_back({"nonfinite", *row.nonfinite});
  return out;
}

}  // namespace

void add_overview(std::span<const std::shared_ptr<const Opened>> inputs, const Options& options,
                  report::Report& out) {
  const auto rows = std::make_shared<std::vector<Row>>();
  for (const auto& input : inputs) rows->push_back(row_of(*input, options));
  const Columns columns = columns_of(*rows);
  report::Section section;
  section.title = "checkpoints";
  section.note = plural(rows->size(), "checkpoint");
  section.size = rows->size() + 1;
  section.has_titles = true;
  section.line = [rows, columns](std::size_t i) {
    return i == 0 ? heading(columns) : line_of((*rows)[i - 1], columns);
  };
  out.sections.push_back(std::move(section));
  out.tables.push_back(
      {"checkpoints", rows->size(), [rows](std::size_t i) { return object_of((*rows)[i]); }});
}

}  // namespace ckpt::show
