#include "show/tensor_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/fold.h"
#include "base/text.h"

namespace ckpt::show {
namespace {

using report::Cell;
using report::Line;
using report::Style;
using tensor::Stats;

constexpr std::size_t kMostLines = 40;  // before only modules are listed, and of those

// What is left out first where a terminal is narrow.
constexpr std::uint8_t kDropDtype = 4;
constexpr std::uint8_t kDropStats = 3;
constexpr std::uint8_t kDropShape = 2;

struct Row {
  std::string label;
  std::vector<std::uint32_t> members;
};

struct Module {
  std::string_view name;  // of the labels, without the dot behind it
  std::vector<const Row*> rows;
};

Cell cell(std::string text, Style style = Style::kPlain, bool right = false, std::uint8_t drop = 0) {
  Cell out;
  out.text = std::move(text);
  out.style = style;
  out.right = right;
  out.drop = drop;
  return out;
}

std::string shown_number(const tensor::Number& number) {
  if (const auto* integer = std::get_if<std::int64_t>(&number)) return fmt::format("{}", *integer);
  if (const auto* integer = std::get_if<std::uint64_t>(&number)) return fmt::format("{}", *integer);
  if (const auto* real = std::get_if<double>(&number)) return format_short(*real);
  return "-";
}

void keep_extreme(tensor::Number& kept, const tensor::Number& other, bool least) {
  if (std::holds_alternative<std::monostate>(other)) return;
  const bool first = std::holds_alternative<std::monostate>(kept);
  const double a = tensor::to_double(kept), b = tensor::to_double(other);
  if (first || (least ? b < a : b > a)) kept = other;
}

class Table {
 public:
  explicit Table(const std::vector<NamedTensor>& tensors) : tensors_(tensors) {
    for (const NamedTensor& one : tensors) total_ += one.elements;
    has_stats_ =
        std::any_of(tensors.begin(), tensors.end(), [](const auto& one) { return one.stats.has_value(); });
  }

  std::vector<Row> fold(bool by_shape) const {
    std::vector<FoldItem> items;
    for (std::uint32_t i = 0; i < tensors_.size(); ++i)
      items.push_back({tensors_[i].name, by_shape ? tensors_[i].dtype + tensors_[i].shape : "", 0, i});
    std::vector<Row> rows;
    for (Fold& fold : fold_numbers(std::move(items)))
      rows.push_back({std::move(fold.label), std::move(fold.members)});
    return rows;
  }

  // A line for the tensors of one row.
  Line line(const Row& row, std::string label) const {
    const NamedTensor& first = tensors_[row.members.front()];
    const auto all = [&](auto same) { return std::all_of(row.members.begin(), row.members.end(), same); };
    const bool one_shape = all([&](std::uint32_t i) { return tensors_[i].shape == first.shape; });
    const bool one_dtype = all([&](std::uint32_t i) { return tensors_[i].dtype == first.dtype; });
    return line(std::move(label), one_dtype ? first.dtype : "", one_shape ? first.shape : "", row.members,
                Style::kPlain);
  }

  // A line for all of a module.
  Line line(const Module& module) const {
    std::vector<std::uint32_t> members;
    for (const Row* row : module.rows)
      members.insert(members.end(), row->members.begin(), row->members.end());
    return line(std::string(module.name) + ".**", "", "", members, Style::kStrong);
  }

  std::uint64_t elements_of(const Module& module) const {
    std::uint64_t sum = 0;
    for (const Row* row : module.rows)
      for (const std::uint32_t i : row->members) sum += tensors_[i].elements;
    return sum;
  }

 private:
  Line line(std::string label, std::string dtype, std::string shape,
            const std::vector<std::uint32_t>& members, Style style) const {
    std::uint64_t elements = 0;
    for (const std::uint32_t i : members) elements += tensors_[i].elements;
    Line out;
    out.cells.push_back(cell(std::move(label), style));
    out.cells.back().elide = true;
    out.cells.push_back(cell(members.size() > 1 ? fmt::format("x{}", members.size()) : "", Style::kStrong));
    out.cells.push_back(cell(std::move(dtype), Style::kDim, false, kDropDtype));
    out.cells.push_back(cell(std::move(shape), Style::kPlain, false, kDropShape));
    out.cells.push_back(cell(format_count(elements), Style::kPlain, true));
    out.cells.push_back(cell(share(elements), Style::kDim, true));
    if (has_stats_) add_stats(members, out.cells);
    return out;
  }

  void add_stats(const std::vector<std::uint32_t>& members, std::vector<Cell>& cells) const {
    std::vector<const Stats*> parts;
    for (const std::uint32_t i : members)
      if (tensors_[i].stats) parts.push_back(&*tensors_[i].stats);
    if (const auto all = pooled(parts)) add_stats_cells(*all, cells);
  }

  std::string share(std::uint64_t elements) const {
    if (total_ == 0) return "";
    const double percent = 100.0 * static_cast<double>(elements) / static_cast<double>(total_);
    return percent > 0 && percent < 0.1 ? "<0.1 %" : fmt::format("{:.1f} %", percent);
  }

  const std::vector<NamedTensor>& tensors_;
  std::uint64_t total_ = 0;
  bool has_stats_ = false;
};

std::vector<Module> modules_of(const std::vector<Row>& rows) {
  std::vector<std::string> labels;
  for (const Row& row : rows) labels.push_back(row.label);
  std::vector<Module> modules;
  std::map<std::string_view, std::size_t> place;
  const std::vector<std::string_view> names = modules_of_names(labels);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    // The row's own label has the same characters, and lives as long as the lines need it.
    const std::string_view name = std::string_view(rows[i].label).substr(0, names[i].size());
    const auto [found, added] = place.try_emplace(name, modules.size());
    if (added) modules.push_back({name, {}});
    modules[found->second].rows.push_back(&rows[i]);
  }
  return modules;
}

std::vector<Line> module_lines(const Table& table, std::vector<Module> modules) {
  std::stable_sort(modules.begin(), modules.end(), [&](const Module& a, const Module& b) {
    return table.elements_of(a) > table.elements_of(b);
  });
  std::vector<Line> lines;
  for (const Module& module : modules) {
    if (lines.size() == kMostLines) {
      Line rest;
      rest.cells.push_back(cell(
          fmt::format("... {} more; --all lists every tensor", plural(modules.size() - kMostLines, "module")),
          Style::kDim));
      lines.push_back(std::move(rest));
      break;
    }
    lines.push_back(module.rows.size() == 1 ? table.line(*module.rows[0], module.rows[0]->label)
                                            : table.line(module));
  }
  return lines;
}

}  // namespace

std::optional<Stats> pooled(const std::vector<const Stats*>& parts) {
  Stats all;
  double finite = 0, sum = 0, squares = 0;
  bool any = false;
  for (const Stats* one : parts) {
    if (!one->decoded) continue;
    any = true;
    all.numel += one->numel;
    all.nan += one->nan;
    all.posinf += one->posinf;
    all.neginf += one->neginf;
    all.zeros += one->zeros;
    keep_extreme(all.min, one->min, true);
    keep_extreme(all.max, one->max, false);
    const double n = static_cast<double>(one->numel - std::min(one->numel, one->nonfinite()));
    if (n == 0 || std::isnan(one->mean)) continue;
    finite += n;
    sum += n * one->mean;
    squares += n * (one->std * one->std + one->mean * one->mean);
  }
  if (!any) return std::nullopt;
  if (parts.size() == 1) return *parts[0];
  const double nan = std::numeric_limits<double>::quiet_NaN();
  all.mean = finite > 0 ? sum / finite : nan;
  all.std = finite > 0 ? std::sqrt(std::max(0.0, squares / finite - all.mean * all.mean)) : nan;
  return all;
}

void add_stats_cells(const Stats& stats, std::vector<Cell>& cells) {
  cells.push_back(cell("min " + shown_number(stats.min), Style::kPlain, true, 0));
  cells.push_back(cell("max " + shown_number(stats.max), Style::kPlain, true, 0));
  cells.push_back(cell("mean " + format_short(stats.mean), Style::kPlain, true, kDropStats));
  cells.push_back(cell("std " + format_short(stats.std), Style::kPlain, true, kDropStats));
  const bool finite = stats.nonfinite() == 0;
  cells.push_back(cell(finite ? "" : fmt::format("{} NaN, {} Inf", stats.nan, stats.posinf + stats.neginf),
                       Style::kError));
}

std::vector<Line> tensor_lines(const std::vector<NamedTensor>& tensors, bool by_shape) {
  const Table table(tensors);
  const std::vector<Row> rows = table.fold(by_shape);
  std::vector<Module> modules = modules_of(rows);
  if (rows.size() > kMostLines) return module_lines(table, std::move(modules));
  std::vector<Line> lines;
  for (const Module& module : modules) {
    const bool heads = module.rows.size() > 1 && modules.size() > 1;
    if (heads) lines.push_back(table.line(module));
    for (const Row* row : module.rows)
      lines.push_back(table.line(*row, heads ? "  " + row->label.substr(module.name.size()) : row->label));
  }
  return lines;
}

}  // namespace ckpt::show
