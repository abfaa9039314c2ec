#include "show/to_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/text.h"
#include "checkpoint/leaves.h"
#include "report/plain_value.h"
#include "show/overview.h"
#include "show/pictures.h"
#include "show/sections.h"
#include "show/selection.h"
#include "show/tensor_rows.h"
#include "tensor/stats.h"
#include "training/amounts.h"
#include "training/weights.h"
#include "value/path.h"

namespace ckpt::show {
namespace {

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

void select(const Selection& selection, Listed listed, Shown& shown) {
  shown.input = listed.input;
  const training::Items& items = shown.input->items;
  for (std::uint32_t i = 0; i < shown.file().entries.size(); ++i)
    if (selection.has(items, shown.file().entries[i].path)) shown.entries.push_back(i);
  shown.leaves = std::move(listed.leaves);
  std::erase_if(shown.leaves, [&](const Leaf& leaf) { return !selection.has(items, leaf.path); });
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

// --- pictures -------------------------------------------------------------------------------------------

std::vector<Measured> measured_tensors(const Shown& shown) {
  std::vector<Measured> out;
  for (std::size_t i = 0; i < shown.entries.size(); ++i) {
    if (!shown.has_stats[i] || shown.entry(i).part) continue;
    const auto name = training::weight_name(shown.input->items, shown.entry(i).path);
    out.push_back({shown.name(i), name.has_value(), &shown.record(i),
                   readable_storage(shown.file(), shown.record(i)), &shown.stats[i]});
  }
  return out;
}

void draw(const Shown& shown, const Options& options, const training::Amounts& amounts, report::Report& out) {
  const std::vector<Measured> measured = measured_tensors(shown);
  out.highlights = highlights(*shown.input, amounts, measured);
  add_scores(*shown.input, out.pictures);
  if (!measured.empty()) add_pictures(measured, options.jobs, out.pictures);
}

// --- the tensors for people -------------------------------------------------------------------------------

std::string bytes_text(const TensorRecord& record) {
  if (!record.view.has_storage()) return record.layout;
  return format_bytes(tensor::bytes_for_elements(record.view.dtype, record.view.numel));
}

Line tensor_line(const Shown& shown, std::size_t i) {
  const TensorRecord& record = shown.record(i);
  Line line;
  line.cells = {{one_line(shown.name(i)), Style::kPlain, false, 0, true},
                {std::string(tensor::short_name(record.view.dtype)), Style::kDim, false, 4},
                {format_shape(record.view.shape), Style::kPlain, false, 2},
                {bytes_text(record), Style::kDim, true, 5}};
  if (shown.has_stats[i]) add_stats_cells(shown.stats[i], line.cells);
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

// The plain values that patterns select.
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

// --- the tensors of a whole checkpoint
// -----------------------------------------------------------------------

NamedTensor named(const Shown& shown, std::size_t i) {
  const tensor::TensorView& view = shown.record(i).view;
  NamedTensor out;
  out.name = one_line(shown.name(i));
  out.dtype = tensor::short_name(view.dtype);
  out.shape = format_shape(view.shape);
  out.elements = view.numel;
  if (shown.has_stats[i]) out.stats = shown.stats[i];
  return out;
}

// Weights folded; of what is not a weight (moments) the numbers, where they were asked for.
void add_folded(const Shown& shown, const training::Amounts& amounts, std::vector<Section>& out) {
  std::vector<NamedTensor> weights, others;
  for (std::size_t i = 0; i < shown.entries.size(); ++i) {
    const auto section = training::section_of(shown.input->items, shown.entry(i).path);
    (section == training::Section::kWeights ? weights : others).push_back(named(shown, i));
  }
  if (!weights.empty() || !shown.input->items.state_dicts.empty())
    out.push_back(report::make_section("weights", weights_note(amounts), tensor_lines(weights, true)));
  if (!others.empty() && (!shown.stats.empty() || weights.empty()))
    out.push_back(
        report::make_section("other tensors", plural(others.size(), "tensor"), tensor_lines(others, false)));
}

// The rows of all inputs in one table.
report::Table joined(std::string name, const std::vector<std::shared_ptr<const Shown>>& all,
                     std::size_t (*size)(const Shown&), Object (*row)(const Shown&, std::size_t)) {
  std::size_t total = 0;
  std::vector<std::size_t> ends;
  for (const auto& shown : all) ends.push_back(total += size(*shown));
  return {std::move(name), total, [all, ends, row](std::size_t i) {
            const auto end = std::upper_bound(ends.begin(), ends.end(), i);
            const auto input = static_cast<std::size_t>(end - ends.begin());
            const std::size_t begin = input == 0 ? 0 : ends[input - 1];
            Object out = row(*all[input], i - begin);
            if (all.size() > 1) out.push_back({"input", std::uint64_t{input}});
            return out;
          }};
}

void add_tables(const std::vector<std::shared_ptr<const Shown>>& all, report::Report& out) {
  out.tables.push_back(joined(
      "tensors", all, [](const Shown& shown) { return shown.entries.size(); }, tensor_row));
  out.tables.push_back(joined(
      "values", all, [](const Shown& shown) { return shown.leaves.size(); }, value_row));
}

void add_selected(const std::shared_ptr<const Shown>& shown, bool title, std::vector<Section>& out) {
  if (shown->entries.empty() && shown->leaves.empty()) return;
  if (title) {
    out.push_back(report::make_section(one_line(shown->input->path), "", {}));
    out.back().set_off = true;
  }
  if (!shown->entries.empty()) out.push_back(tensor_section(shown));
  if (!shown->leaves.empty()) out.push_back(value_section(shown));
}

void add_whole(const std::shared_ptr<const Shown>& shown, const training::Amounts& amounts, bool all,
               std::vector<Section>& out) {
  add_summary_sections(*shown->input, amounts, all, out);
  if (all)
    out.push_back(tensor_section(shown));
  else
    add_folded(*shown, amounts, out);
  add_detail_sections(*shown->input, all, out);
}

}  // namespace

std::vector<Unmatched> to_report(std::span<const std::shared_ptr<const Opened>> inputs,
                                 const Options& options, report::Report& out) {
  out.has_findings = false;
  out.dense = true;
  const bool several = inputs.size() > 1;
  if (several) add_overview(inputs, options, out);
  if (several && options.patterns.empty()) return {};
  std::vector<Listed> listed;
  for (const auto& input : inputs) listed.push_back({input, collect_leaves(*input->file)});
  const Selection selection(options.patterns, listed);
  std::vector<std::shared_ptr<const Shown>> all;
  for (Listed& one : listed) {
    const auto shown = std::make_shared<Shown>();
    select(selection, std::move(one), *shown);
    measure(options, *shown);
    all.push_back(shown);
  }
  if (!several) {
    const training::Amounts amounts = training::count_amounts(all[0]->file(), all[0]->input->items);
    out.facts = summary_facts(*all[0]->input, amounts);
    if (options.pictures) draw(*all[0], options, amounts, out);
    if (options.patterns.empty()) add_whole(all[0], amounts, options.all, out.sections);
  }
  if (!options.patterns.empty())
    for (const auto& shown : all) add_selected(shown, several, out.sections);
  add_tables(all, out);
  return selection.unmatched();
}

}  // namespace ckpt::show
