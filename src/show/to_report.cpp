#include "show/to_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/text.h"
#include "checkpoint/leaves.h"
#include "report/plain_value.h"
#include "show/sections.h"
#include "tensor/stats.h"
#include "training/amounts.h"
#include "training/weights.h"
#include "value/path.h"

namespace ckpt::show {
namespace {

using report::Cell;
using report::Line;
using report::Object;
using report::Property;
using report::Section;
using report::Style;

// What the tables and the tensor section need, kept alive by their functions.
struct Shown {
  std::shared_ptr<const Opened> input;
  std::vector<std::uint32_t> entries;  // of file().entries, those that the pattern selects
  std::vector<Leaf> leaves;            // likewise
  std::vector<tensor::Stats> stats;    // per selected entry, if asked for
  std::vector<bool> has_stats;
  std::vector<std::string> digests;

  const Checkpoint& file() const { return *input->file; }
  const TensorEntry& entry(std::size_t i) const { return file().entries[entries[i]]; }
  const TensorRecord& record(std::size_t i) const { return file().record_of(entry(i)); }
  std::string name(std::size_t i) const {
    const auto name = training::weight_name(input->items, entry(i).path);
    return name ? *name : value::display_path(entry(i).path);
  }
};

bool selected(const Options& options, const training::Items& items, std::string_view path) {
  if (!options.pattern || matches_prefix_or_glob(*options.pattern, path)) return true;
  const auto name = training::weight_name(items, path);
  return name && matches_prefix_or_glob(*options.pattern, *name);
}

void select(const Options& options, Shown& shown) {
  const training::Items& items = shown.input->items;
  for (std::uint32_t i = 0; i < shown.file().entries.size(); ++i)
    if (selected(options, items, shown.file().entries[i].path)) shown.entries.push_back(i);
  shown.leaves = collect_leaves(shown.file());
  std::erase_if(shown.leaves, [&](const Leaf& leaf) { return !selected(options, items, leaf.path); });
}

void measure(const Options& options, Shown& shown) {
  shown.has_stats.resize(shown.entries.size());
  if (!options.stats && !options.digest) return;
  std::vector<tensor::StatsJob> jobs;
  std::vector<std::size_t> of_job;
  for (std::size_t i = 0; i < shown.entries.size(); ++i) {
    const tensor::Storage* storage = readable_storage(shown.file(), shown.record(i));
    if (storage == nullptr) continue;
    jobs.push_back({&shown.record(i).view, storage});
    of_job.push_back(i);
  }
  if (options.stats) {
    const auto stats = tensor::compute_stats_all(jobs, options.jobs);
    shown.stats.resize(shown.entries.size());
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      shown.stats[of_job[j]] = stats[j];
      shown.has_stats[of_job[j]] = true;
    }
  }
  if (options.digest) {
    shown.digests.resize(shown.entries.size());
    parallel_for(jobs.size(), options.jobs, [&](std::size_t j) {
      shown.digests[of_job[j]] = tensor::compute_sha256(*jobs[j].view, *jobs[j].storage);
    });
  }
}

// --- the table of tensors for programs --------------------------------------------------------------------

void add_stats(const tensor::Stats& stats, bool complex, Object& row) {
  if (!stats.decoded) return;
  row.push_back({"nan", stats.nan});
  row.push_back({"posinf", stats.posinf});
  row.push_back({"neginf", stats.neginf});
  row.push_back({"zeros", stats.zeros});
  row.push_back({"min", report::to_value(stats.min)});
  row.push_back({"max", report::to_value(stats.max)});
  if (complex)
    row.push_back({"mean", report::List{stats.mean, stats.mean_imag}});
  else
    row.push_back({"mean", stats.mean});
  row.push_back({"std", stats.std});
  row.push_back({"l2", stats.l2});
}

Object tensor_row(const Shown& shown, std::size_t i) {
  const TensorRecord& record = shown.record(i);
  const tensor::TensorView& view = record.view;
  const bool stored = view.has_storage();
  Object row = {
      {"path", value::display_path(shown.entry(i).path)},
      {"name", shown.name(i)},
      {"dtype", tensor::name(view.dtype)},
      {"shape", report::to_value(view.shape)},
      {"stride", report::to_value(view.strides)},
      {"storage_offset", view.storage_offset},
      {"numel", view.numel},
      {"device",
       stored ? report::Value(shown.file().storages[view.storage].location) : report::Value(record.layout)},
      {"storage", stored ? report::Value(shown.file().storages[view.storage].key) : report::Value(nullptr)},
      {"storage_bytes",
       stored ? report::Value(shown.file().storages[view.storage].size) : report::Value(nullptr)},
      {"requires_grad", view.requires_grad},
      {"layout", record.layout},
  };
  if (!record.subclass.empty()) row.push_back({"class", record.subclass});
  if (view.conj) row.push_back({"conj", true});
  if (view.neg) row.push_back({"neg", true});
  if (shown.has_stats[i])
    add_stats(shown.stats[i], tensor::dtype_class(view.dtype) == tensor::DTypeClass::kComplex, row);
  if (!shown.digests.empty() && !shown.digests[i].empty()) row.push_back({"sha256", shown.digests[i]});
  return row;
}

Object value_row(const Shown& shown, std::size_t i) {
  const Leaf& leaf = shown.leaves[i];
  return {{"path", value::display_path(leaf.path)},
          {"type", leaf_type(shown.file(), leaf)},
          {"value", report::to_value(plain_value(shown.file().tree, leaf))}};
}

// --- the tensors for people -------------------------------------------------------------------------------

std::string shown_number(const tensor::Number& number) {
  if (const auto* integer = std::get_if<std::int64_t>(&number)) return fmt::format("{}", *integer);
  if (const auto* integer = std::get_if<std::uint64_t>(&number)) return fmt::format("{}", *integer);
  if (const auto* real = std::get_if<double>(&number)) return format_short(*real);
  return "-";
}

Cell nonfinite_cell(const tensor::Stats& stats) {
  if (stats.nonfinite() == 0) return {"", Style::kPlain, false};
  return {fmt::format("{} NaN, {} Inf", stats.nan, stats.posinf + stats.neginf), Style::kError, false};
}

std::string bytes_text(const TensorRecord& record) {
  if (!record.view.has_storage()) return record.layout;
  return format_bytes(tensor::bytes_for_elements(record.view.dtype, record.view.numel));
}

Line tensor_line(const Shown& shown, std::size_t i) {
  const TensorRecord& record = shown.record(i);
  Line line;
  line.cells = {{one_line(shown.name(i)), Style::kPlain, false},
                {std::string(tensor::short_name(record.view.dtype)), Style::kDim, false},
                {format_shape(record.view.shape), Style::kPlain, false},
                {bytes_text(record), Style::kDim, true}};
  if (shown.has_stats[i]) {
    const tensor::Stats& stats = shown.stats[i];
    line.cells.push_back({"min " + shown_number(stats.min), Style::kPlain, true});
    line.cells.push_back({"max " + shown_number(stats.max), Style::kPlain, true});
    line.cells.push_back({"mean " + format_short(stats.mean), Style::kPlain, true});
    line.cells.push_back({"std " + format_short(stats.std), Style::kPlain, true});
    line.cells.push_back(nonfinite_cell(stats));
  }
  return line;
}

Section tensor_section(const std::shared_ptr<const Shown>& shown) {
  std::uint64_t elements = 0;
  for (std::size_t i = 0; i < shown->entries.size(); ++i)
    elements += shown->entry(i).part ? 0 : shown->record(i).view.numel;
  Section section;
  section.title = "tensors";
  section.note =
      fmt::format("{} · {} elements", plural(shown->entries.size(), "tensor"), format_count(elements));
  section.size = shown->entries.size();
  section.line = [shown](std::size_t i) { return tensor_line(*shown, i); };
  return section;
}

// With a pattern, also shows the plain values that it selects.
Section value_section(const std::shared_ptr<const Shown>& shown) {
  Section section;
  section.title = "values";
  section.note = plural(shown->leaves.size(), "value");
  section.size = shown->leaves.size();
  section.line = [shown](std::size_t i) {
    const Leaf& leaf = shown->leaves[i];
    Line line;
    line.cells = {{one_line(value::display_path(leaf.path)), Style::kPlain, false},
                  {one_line(leaf_repr(shown->file(), leaf)), Style::kPlain, false}};
    return line;
  };
  return section;
}

}  // namespace

void to_report(const std::shared_ptr<const Opened>& input, const Options& options, report::Report& out) {
  const auto shown = std::make_shared<Shown>();
  shown->input = input;
  select(options, *shown);
  measure(options, *shown);
  const training::Amounts amounts = training::count_amounts(*input->file, input->items);
  out.has_findings = false;
  out.facts = summary_facts(*input, amounts);
  if (!options.pattern) add_summary_sections(*input, amounts, out.sections);
  const std::shared_ptr<const Shown> ready = shown;
  if (!ready->entries.empty() || !options.pattern) out.sections.push_back(tensor_section(ready));
  if (options.pattern && !ready->leaves.empty()) out.sections.push_back(value_section(ready));
  out.tables.push_back(
      {"tensors", ready->entries.size(), [ready](std::size_t i) { return tensor_row(*ready, i); }});
  out.tables.push_back(
      {"values", ready->leaves.size(), [ready](std::size_t i) { return value_row(*ready, i); }});
}

}  // namespace ckpt::show
