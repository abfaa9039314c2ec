#include "diff/to_report.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "diff/describe_change.h"
#include "show/leaf_value.h"
#include "value/path.h"

namespace ckpt::diff {
namespace {

using report::Cell;
using report::Line;
using report::Mark;
using report::Object;
using report::Section;
using report::Style;

constexpr std::size_t kLines = 20;  // of a section, without --all

// Structure first, then the largest relative change.
bool more_important(const Change& a, const Change& b) {
  const auto rank = [](const Change& c) { return c.kind == ChangeKind::kValues ? 1 : 0; };
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  if (a.delta && b.delta && a.delta->rel_l2 != b.delta->rel_l2) return a.delta->rel_l2 > b.delta->rel_l2;
  return false;
}

Mark mark_of(ChangeKind kind) {
  if (kind == ChangeKind::kAdded) return Mark::kAdded;
  return kind == ChangeKind::kRemoved ? Mark::kRemoved : Mark::kChanged;
}

Line change_line(const Diff& diff, const Change& change) {
  Line line;
  line.mark = mark_of(change.kind);
  line.cells.push_back({one_line(short_path(diff, change)), Style::kPlain, false});
  for (Cell& cell : describe_change(diff, change)) line.cells.push_back(std::move(cell));
  return line;
}

// --- sections -------------------------------------------------------------------------------------------

using Group = std::vector<std::uint32_t>;  // indexes into diff.changes

std::string weights_note(const Diff& diff, std::size_t input) {
  const Totals& totals = diff.totals[input];
  return fmt::format("{} compared · {} differ · {} identical", plural(totals.compared, "tensor"),
                     totals.compared - totals.identical, totals.identical);
}

std::string group_note(const Diff& diff, const Group& group) {
  std::map<std::string_view, std::size_t> kinds;
  for (const std::uint32_t i : group) ++kinds[to_string(diff.changes[i].kind)];
  std::string text;
  for (const auto& [kind, count] : kinds)
    text += fmt::format("{}{} {}", text.empty() ? "" : " · ", count,
                        kind == "values" ? "tensors" : kind == "value" ? (count == 1 ? "value" : "values") : kind);
  return text;
}

Section group_section(const std::shared_ptr<const Diff>& diff, std::string title, Group group, const ReportOptions& options) {
  Section section;
  section.title = std::move(title);
  section.note = group_note(*diff, group);
  std::stable_sort(group.begin(), group.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return more_important(diff->changes[a], diff->changes[b]); });
  section.size = options.all ? group.size() : std::min(group.size(), kLines);
  if (section.size < group.size())
    section.more = fmt::format("({} of {} lines; --all shows the rest)", section.size, group.size());
  section.line = [diff, group = std::move(group)](std::size_t i) { return change_line(*diff, diff->changes[group[i]]); };
  return section;
}

void add_sections(const std::shared_ptr<const Diff>& diff, const ReportOptions& options, report::Report& out) {
  const bool many = diff->sides.size() > 2;
  for (std::size_t input = 1; input < diff->sides.size(); ++input) {
    std::map<lightning::Section, Group> groups;
    for (std::uint32_t i = 0; i < diff->changes.size(); ++i)
      if (diff->changes[i].input == input) groups[diff->changes[i].section].push_back(i);
    if (many)
      out.sections.push_back(report::make_section("+++ " + one_line(diff->sides[input].input->path),
                                                  groups.empty() ? "same as the base" : weights_note(*diff, input), {}));
    else if (diff->totals[input].compared > 0)
      out.sections.push_back(report::make_section("tensors", weights_note(*diff, input), {}));
    for (auto& [section, group] : groups)
      out.sections.push_back(group_section(diff, std::string(lightning::title(section)), std::move(group), options));
  }
}

// --- the JSON table ---------------------------------------------------------------------------------------

void add_delta(const tensor::Delta& delta, const std::vector<std::int64_t>& shape, Object& row) {
  row.push_back({"numel", delta.numel});
  row.push_back({"differing", delta.differing});
  if (!delta.decoded) return;
  row.push_back({"max_abs", delta.max_abs});
  row.push_back({"max_abs_index", delta.max_abs_index
                                      ? show::shape_value(tensor::unravel(*delta.max_abs_index, shape))
                                      : report::Value(nullptr)});
  row.push_back({"mean_abs", delta.mean_abs});
  row.push_back({"rms", delta.rms});
  row.push_back({"rel_l2", delta.rel_l2});
  row.push_back({"cosine", delta.cosine});
  row.push_back({"nan_old", delta.nan_old});
  row.push_back({"nan_new", delta.nan_new});
  row.push_back({"inf_old", delta.inf_old});
  row.push_back({"inf_new", delta.inf_new});
}

Object change_row(const Diff& diff, const Change& change) {
  Object row = {{"kind", to_string(change.kind)},
                {"path", value::display_path(change.path)},
                {"section", lightning::title(change.section)},
                {"old", side_value(diff, change, false)},
                {"new", side_value(diff, change, true)},
                {"input", std::uint64_t{change.input}}};
  if (change.delta) {
    const Checkpoint& base = diff.sides[0].file();
    add_delta(*change.delta, base.record_of(base.entries[change.old_slot.index]).view.shape, row);
  }
  return row;
}

// --- verdict and findings -----------------------------------------------------------------------------------

std::string verdict(const Diff& diff) {
  if (diff.changes.empty()) return "same";
  std::size_t tensors = 0;
  for (const Change& change : diff.changes)
    tensors += change.old_slot.kind == SlotKind::kTensor || change.new_slot.kind == SlotKind::kTensor ? 1 : 0;
  const std::size_t values = diff.changes.size() - tensors;
  std::string text = "different: ";
  if (tensors > 0) text += plural(tensors, "change") + " of tensors";
  if (values > 0) text += fmt::format("{}{} of plain values", tensors > 0 ? ", " : "", plural(values, "change"));
  return text;
}

void add_findings(const Diff& diff, report::Report& out) {
  for (const Change& change : diff.changes) out.findings.push_back(change_finding(diff, change));
  std::sort(out.findings.begin(), out.findings.end());
}

void add_not_compared(const Diff& diff, report::Report& out) {
  if (diff.not_compared.empty()) return;
  report::List list;
  std::vector<Line> lines;
  for (const NotCompared& item : diff.not_compared) {
    list.emplace_back(Object{{"path", item.path}, {"input", std::uint64_t{item.input}}, {"trouble", item.trouble}});
    if (lines.size() == kLines) continue;
    Line line;
    line.cells = {{one_line(item.path), Style::kPlain, false},
                  {item.trouble ? "its elements cannot be read" : "it has no elements in both files", Style::kDim, false}};
    lines.push_back(std::move(line));
  }
  out.facts.push_back({"not_compared", std::move(list)});
  out.sections.push_back(report::make_section("not compared", plural(diff.not_compared.size(), "tensor"), std::move(lines)));
}

}  // namespace

void to_report(const std::shared_ptr<const Diff>& diff, const ReportOptions& options, report::Report& out) {
  out.rules = change_rules();
  out.facts.push_back({"verdict", diff->different() ? "different" : "same"});
  add_sections(diff, options, out);
  add_not_compared(*diff, out);
  if (options.findings) add_findings(*diff, out);
  report::List totals;
  for (const Totals& t : diff->totals)
    totals.emplace_back(Object{{"tensors", t.tensors}, {"elements", t.elements}, {"compared", t.compared}, {"identical", t.identical}});
  out.facts.push_back({"totals", std::move(totals)});
  out.tables.push_back({"changes", diff->changes.size(), [diff](std::size_t i) { return change_row(*diff, diff->changes[i]); }});
  out.verdict = verdict(*diff);
  out.verdict_style = diff->different() ? Style::kStrong : Style::kGood;
}

}  // namespace ckpt::diff
