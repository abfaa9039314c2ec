#include "diff/to_report.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "diff/describe_change.h"
#include "diff/part_notes.h"
#include "diff/pictures.h"
#include "diff/sections.h"
#include "report/plain_value.h"
#include "value/path.h"

namespace ckpt::diff {
namespace {

using report::Line;
using report::Object;
using report::Style;

constexpr std::size_t kNotCompared = 20;  // lines

// --- the JSON tables -----------------------------------------------------------------------------------

void add_delta(const tensor::Delta& delta, const std::vector<std::int64_t>& shape, Object& row) {
  row.push_back({"numel", delta.numel});
  row.push_back({"differing", delta.differing});
  if (!delta.decoded) return;
  row.push_back({"max_abs", delta.max_abs});
  row.push_back({"max_abs_index", delta.max_abs_index
                                      ? report::to_value(tensor::unravel(*delta.max_abs_index, shape))
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

std::string_view section_name(const Change& change) {
  return change.part == Part::kImports ? title(Part::kImports) : training::title(change.section);
}

Object change_row(const Diff& diff, const Change& change) {
  Object row = {{"kind", to_string(change.kind)},        {"path", value::display_path(change.path)},
                {"section", section_name(change)},       {"old", side_value(diff, change, false)},
                {"new", side_value(diff, change, true)}, {"input", std::uint64_t{change.input}}};
  if (!change.name.empty()) row.push_back({"name", change.name});
  if (!change.old_path.empty()) row.push_back({"old_path", value::display_path(change.old_path)});
  if (!change.old_name.empty()) row.push_back({"old_name", change.old_name});
  if (change.delta) {
    const Checkpoint& base = diff.sides[0].file();
    add_delta(*change.delta, base.record_of(base.entries[change.old_slot.index]).view.shape, row);
  }
  if (change.max_ulp) row.push_back({"max_ulp", *change.max_ulp});
  if (change.numbers) {
    row.push_back({"old_value", change.numbers->first});
    row.push_back({"new_value", change.numbers->second});
  }
  if (change.detail && change.detail->cause != Cause::kNone)
    row.push_back(
        {"explained", Object{{"cause", to_string(change.detail->cause)}, {"text", change.detail->text}}});
  else if (change.kind == ChangeKind::kRenamed && change.detail)
    row.push_back({"reason", change.detail->text});
  return row;
}

Object compat_row(const Incompatibility& finding) {
  return {{"profile", to_string(finding.profile)},
          {"rule", finding.rule},
          {"path", value::display_path(finding.path)},
          {"places", finding.places},
          {"message", finding.message},
          {"input", std::uint64_t{finding.input}}};
}

report::Value totals_value(const Diff& diff) {
  report::List totals;
  for (const Totals& t : diff.totals) {
    Object row = {{"tensors", t.tensors},
                  {"elements", t.elements},
                  {"compared", t.compared},
                  {"identical", t.identical},
                  {"close", t.close}};
    if (t.unrecorded > 0) row.push_back({"unrecorded", t.unrecorded});
    if (t.unheld > 0) row.push_back({"unheld", t.unheld});
    if (t.live_compared > 0) {
      row.push_back({"live_compared", t.live_compared});
      row.push_back({"live_identical", t.live_identical});
    }
    if (t.migration.any()) {
      report::List done;
      for (const std::string& text : t.migration.done) done.emplace_back(text);
      row.push_back({"migrated", std::move(done)});
    }
    totals.emplace_back(std::move(row));
  }
  return totals;
}

// --- verdict and findings ------------------------------------------------------------------------------

std::string verdict(const Diff& diff) {
  if (diff.changes.empty()) return "same";
  if (diff.sides.size() == 2) return "different: " + counts_note(diff, 1);
  std::set<std::uint32_t> inputs;
  for (const Change& change : diff.changes) inputs.insert(change.input);
  const std::size_t others = diff.sides.size() - 1;
  return fmt::format("different: {} of {} differ from the base", inputs.size(), plural(others, "file"));
}

void set_gate_verdict(const Compatibility& compat, Profile gate, const Diff& diff, report::Report& out) {
  const std::uint64_t count = compat.count(gate);
  if (compat.holds(gate)) {
    out.verdict = fmt::format("compatible ({}), {}", to_string(gate), verdict(diff));
    out.verdict_style = Style::kGood;
    return;
  }
  if (!compat.judged(gate) && gate != Profile::kResume) {
    out.verdict = fmt::format("cannot be judged ({}): {} has no state_dict; {}", to_string(gate),
                              compat.base_has_weights ? "a file" : "the base", verdict(diff));
    out.verdict_style = Style::kError;
    return;
  }
  const std::string why = count > 0 ? plural(count, "finding") : "no Trainer wrote the base";
  out.verdict = fmt::format("not compatible ({}): {}; {}", to_string(gate), why, verdict(diff));
  out.verdict_style = Style::kError;
}

report::Finding compat_finding(const Incompatibility& item) {
  report::Finding finding;
  finding.rule_id = item.rule;
  finding.level = report::Level::kError;
  finding.message = item.message + (item.places > 1 ? fmt::format(" ({} places)", item.places) : "");
  finding.arguments = {finding.message};
  finding.kind = "incompatible";
  finding.where = {item.input, item.path, report::PlaceKind::kProperty, std::nullopt, ""};
  finding.related = {{0, item.path, report::PlaceKind::kProperty, std::nullopt, "the base"}};
  finding.properties = {{"profile", to_string(item.profile)}, {"places", item.places}};
  return finding;
}

void add_findings(const Diff& diff, const Compatibility* compat, const ReportOptions& options,
                  report::Report& out) {
  for (const Change& change : diff.changes) out.findings.push_back(change_finding(diff, change));
  if (compat != nullptr && options.gate)
    for (const Incompatibility& item : compat->findings)
      if (item.profile >= *options.gate) out.findings.push_back(compat_finding(item));
  std::sort(out.findings.begin(), out.findings.end());
}

void add_not_compared(const Diff& diff, report::Report& out) {
  if (diff.not_compared.empty()) return;
  report::List list;
  std::vector<Line> lines;
  for (const NotCompared& item : diff.not_compared) {
    list.emplace_back(
        Object{{"path", item.path}, {"input", std::uint64_t{item.input}}, {"trouble", item.trouble}});
    if (lines.size() == kNotCompared) continue;
    Line line;
    report::Cell path;
    path.text = one_line(item.path);
    path.elide = true;
    report::Cell why;
    why.text = item.trouble ? "its elements cannot be read" : "not both files have its elements";
    why.style = Style::kDim;
    line.cells = {std::move(path), std::move(why)};
    lines.push_back(std::move(line));
  }
  out.facts.push_back({"not_compared", std::move(list)});
  out.sections.push_back(
      report::make_section("not compared", plural(diff.not_compared.size(), "tensor"), std::move(lines)));
}

void add_compat(const std::shared_ptr<const Diff>& diff, const Compatibility& compat,
                const ReportOptions& options, report::Report& out) {
  Object holds;
  for (const Profile profile : kProfiles) {
    holds.push_back({std::string(to_string(profile)),
                     compat.judged(profile) ? report::Value(compat.holds(profile)) : report::Value(nullptr)});
  }
  report::List findings;
  for (const Incompatibility& finding : compat.findings) findings.emplace_back(compat_row(finding));
  out.facts.push_back({"compatible", std::move(holds)});
  out.facts.push_back({"incompatibilities", std::move(findings)});
  if (diff->different() || options.gate) out.sections.push_back(compat_section(*diff, compat, options));
}

}  // namespace

void to_report(const std::shared_ptr<const Diff>& diff, const Compatibility* compat,
               const ReportOptions& options, report::Report& out) {
  out.rules = change_rules();
  out.dense = true;
  out.facts.push_back({"verdict", diff->different() ? "different" : "same"});
  add_sections(diff, options, out.sections);
  add_not_compared(*diff, out);
  if (compat != nullptr) add_compat(diff, *compat, options, out);
  if (options.pictures) {
    out.highlights = highlights(*diff, compat);
    add_pictures(*diff, options.jobs, out.pictures);
  }
  if (options.findings) add_findings(*diff, compat, options, out);
  out.facts.push_back({"totals", totals_value(*diff)});
  out.tables.push_back({"changes", diff->changes.size(),
                        [diff](std::size_t i) { return change_row(*diff, diff->changes[i]); }});
  out.verdict = verdict(*diff);
  out.verdict_style = diff->different() ? Style::kStrong : Style::kGood;
  if (options.gate && compat != nullptr) set_gate_verdict(*compat, *options.gate, *diff, out);
}

}  // namespace ckpt::diff
