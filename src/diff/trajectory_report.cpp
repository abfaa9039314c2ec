#include "diff/trajectory_report.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "base/text.h"
#include "training/keys.h"
#include "value/path.h"

namespace ckpt::diff {
namespace {

using report::List;
using report::Object;
using report::Value;

constexpr std::size_t kMostLines = 12;      // of a plot
constexpr std::size_t kMostSameSteps = 10;  // remarks

Value number(const std::optional<double>& value) { return value ? Value(*value) : Value(nullptr); }
// A count that a file may have as a float.
Value count(const std::optional<double>& value) {
  if (!value) return nullptr;
  const bool whole = *value == std::floor(*value) && std::abs(*value) < 1e15;
  return whole ? Value(static_cast<std::int64_t>(*value)) : Value(*value);
}
// kNone is null: there is nothing; a ratio to 0 is "inf".
Value number(double value) { return std::isnan(value) ? Value(nullptr) : Value(value); }

// --- JSON --------------------------------------------------------------------------------------------------

Object point_row(const Trajectory& t, std::size_t k) {
  const Point& point = t.points[k];
  List rates;
  for (const training::GroupRate& rate : point.rates) rates.emplace_back(rate.lr);
  Object row = {{"path", point.path},
                {"input", std::uint64_t{k}},
                {training::keys::kEpoch, count(point.epoch)},
                {training::keys::kGlobalStep, count(point.step)},
                {"lr", std::move(rates)}};
  if (point.score) {
    row.push_back({"score", number(point.score->current)});
    row.push_back({"best_score", number(point.score->best)});
  }
  row.push_back({"norm", number(point.weights.value())});
  row.push_back({"change_previous", k == 0 ? Value(nullptr) : number(point.previous.relative())});
  row.push_back({"change_base", k == 0 ? Value(nullptr) : number(point.base.relative())});
  row.push_back({"compared", point.previous.compared});
  row.push_back({"moved", point.previous.moved});
  row.push_back({"nan", point.weights.nan});
  row.push_back({"inf", point.weights.inf});
  row.push_back({"size", point.size});
  row.push_back({"tensors", point.weights.tensors});
  row.push_back({"added", point.added});
  row.push_back({"removed", point.removed});
  row.push_back({"reshaped", point.reshaped});
  if (point.averaged) row.push_back({"averaged", true});
  if (const auto other = same_step(t, k)) row.push_back({"same_step_as", std::uint64_t{*other}});
  return row;
}

Object module_row(const Module& module) {
  List norm, previous, base, moved, nonfinite;
  for (std::size_t k = 0; k < module.norm.size(); ++k) {
    norm.emplace_back(number(module.norm[k].value()));
    previous.emplace_back(k == 0 ? Value(nullptr) : number(module.previous[k].relative()));
    base.emplace_back(k == 0 ? Value(nullptr) : number(module.base[k].relative()));
    moved.emplace_back(module.previous[k].moved);
    nonfinite.emplace_back(module.norm[k].nan + module.norm[k].inf);
  }
  return {{"name", module.name},
          {"tensors", module.tensors},
          {"elements", module.elements},
          {"norm", std::move(norm)},
          {"change_previous", std::move(previous)},
          {"change_base", std::move(base)},
          {"moved", std::move(moved)},
          {"nonfinite", std::move(nonfinite)}};
}

Object odd_row(const Trajectory& t, const Odd& odd) {
  List modules;
  for (const std::uint32_t m : odd.modules) modules.emplace_back(t.modules[m].name);
  return {{"kind", to_string(odd.kind)},   {"input", std::uint64_t{odd.point}},
          {"modules", std::move(modules)}, {"before", number(odd.before)},
          {"after", number(odd.after)},    {"text", odd.text}};
}

void add_tables(const std::shared_ptr<const Trajectory>& t, const Order& order, report::Report& out) {
  out.facts.push_back(
      {"order", Object{{"by", to_string(order.by)}, {"without", std::uint64_t{order.without}}}});
  out.facts.push_back({"monitor", t->monitor.empty() ? Value(nullptr) : Value(t->monitor)});
  out.facts.push_back({"mode", t->mode.empty() ? Value(nullptr) : Value(t->mode)});
  if (!t->not_compared.empty()) {
    List list;
    for (const NotCompared& item : t->not_compared)
      list.emplace_back(Object{{"path", value::display_path(item.path)},
                               {"input", std::uint64_t{item.input}},
                               {"trouble", item.trouble}});
    out.facts.push_back({"not_compared", std::move(list)});
  }
  out.tables.push_back({"trajectory", t->points.size(), [t](std::size_t k) { return point_row(*t, k); }});
  out.tables.push_back(
      {"modules", t->modules.size(), [t](std::size_t i) { return module_row(t->modules[i]); }});
  out.tables.push_back({"odd", t->odd.size(), [t](std::size_t i) { return odd_row(*t, t->odd[i]); }});
}

// --- plots
// ---------------------------------------------------------------------------------------------------

struct Axis {
  std::string name;
  std::vector<double> at;  // of every point
};

Axis axis_of(const Trajectory& t) {
  Axis axis;
  const auto all = [&](auto field) {
    return std::all_of(t.points.begin(), t.points.end(),
                       [&](const Point& point) { return (point.*field).has_value(); });
  };
  const bool steps = t.by == OrderedBy::kStep && all(&Point::step);
  const bool epochs = !steps && t.by == OrderedBy::kEpoch && all(&Point::epoch);
  axis.name = steps ? "step" : epochs ? training::keys::kEpoch : "checkpoint";
  for (std::size_t k = 0; k < t.points.size(); ++k)
    axis.at.push_back(steps ? *t.points[k].step : epochs ? *t.points[k].epoch : static_cast<double>(k + 1));
  return axis;
}

template <class At>
report::Series series_of(const Axis& axis, std::string name, At at) {
  report::Series series;
  series.name = std::move(name);
  series.x = axis.at;
  for (std::size_t k = 0; k < axis.at.size(); ++k) series.y.push_back(at(k));
  return series;
}

void add_plot(const Axis& axis, std::string title, std::string note, bool log_scale,
              std::vector<report::Series> series, report::Report& out) {
  const bool any = std::any_of(series.begin(), series.end(), [](const report::Series& one) {
    return std::any_of(one.y.begin(), one.y.end(), [](double y) { return std::isfinite(y); });
  });
  if (!any) return;
  report::Plot plot;
  plot.y_name = title;
  plot.title = std::move(title);
  plot.note = std::move(note);
  plot.x_name = axis.name;
  plot.log_scale = log_scale;
  plot.series = std::move(series);
  out.pictures.plots.push_back(std::move(plot));
}

// The rate of each group of the last point that has any.
std::vector<report::Series> rate_series(const Trajectory& t, const Axis& axis) {
  std::vector<report::Series> out;
  const auto last = std::find_if(t.points.rbegin(), t.points.rend(),
                                 [](const Point& point) { return !point.rates.empty(); });
  if (last == t.points.rend()) return out;
  for (const training::GroupRate& group : last->rates) {
    if (out.size() == kMostLines) break;
    out.push_back(series_of(axis, fmt::format("optimizer {}, group {}", group.optimizer, group.group),
                            [&](std::size_t k) {
                              for (const training::GroupRate& rate : t.points[k].rates)
                                if (rate.optimizer == group.optimizer && rate.group == group.group)
                                  return rate.lr;
                              return kNone;
                            }));
  }
  return out;
}

// Those that contribute most to how far the weights went; in the order of the model.
std::vector<std::size_t> main_modules(const Trajectory& t) {
  std::vector<std::size_t> order(t.modules.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto share = [&](std::size_t i) {
    double sum = 0;
    for (const Movement& movement : t.modules[i].previous) sum += movement.difference;
    return sum;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return share(a) > share(b); });
  if (order.size() > kMostLines) order.resize(kMostLines);
  std::sort(order.begin(), order.end());
  return order;
}

void add_plots(const Trajectory& t, const TrajectoryView& view, report::Report& out) {
  const Axis axis = axis_of(t);
  const std::string ref =
      view.from == ChangeFrom::kBase ? "to the first checkpoint" : "to the previous checkpoint";
  add_plot(axis, "learning rate", "", true, rate_series(t, axis), out);
  add_plot(axis, t.monitor.empty() ? "score" : t.monitor, "", false,
           {series_of(axis, t.monitor.empty() ? "score" : t.monitor,
                      [&](std::size_t k) { return score_of(t.points[k]).value_or(kNone); })},
           out);
  std::vector<report::Series> changes = {series_of(axis, "all weights", [&](std::size_t k) {
    return k == 0 ? kNone : change_of(t.points[k].previous, t.points[k].base, view.from);
  })};
  std::vector<report::Series> norms = {
      series_of(axis, "all weights", [&](std::size_t k) { return t.points[k].weights.value(); })};
  const std::vector<std::size_t> shown = main_modules(t);
  for (const std::size_t i : shown) {
    const Module& module = t.modules[i];
    changes.push_back(series_of(axis, module.name, [&](std::size_t k) {
      return k == 0 ? kNone : change_of(module.previous[k], module.base[k], view.from);
    }));
    norms.push_back(series_of(axis, module.name, [&](std::size_t k) { return module.norm[k].value(); }));
  }
  const std::string note =
      shown.size() < t.modules.size()
          ? fmt::format("the {} of {} modules that moved most", shown.size(), t.modules.size())
          : std::string();
  add_plot(axis, "relative change " + ref, note, true, std::move(changes), out);
  add_plot(axis, "norm of the weights", note, true, std::move(norms), out);
}

// --- words
// -----------------------------------------------------------------------------------------------------

void add_remarks(const Trajectory& t, const Order& order, report::Report& out) {
  if (order.by == OrderedBy::kGiven)
    out.remarks.emplace_back("No file says its step or epoch: the order is the one given.");
  else if (order.without > 0)
    out.remarks.push_back(
        fmt::format("{} no {}: last, in the order given.",
                    order.without == 1 ? "1 file has" : fmt::format("{} files have", order.without),
                    to_string(order.by)));
  std::size_t same = 0;
  for (std::size_t k = 1; k < t.points.size(); ++k) {
    const auto other = same_step(t, k);
    if (!other || ++same > kMostSameSteps) continue;
    out.remarks.push_back(fmt::format("{} has the step of {}{}.", one_line(t.points[k].path),
                                      one_line(t.points[*other].path),
                                      is_duplicate(t, k) ? " and the same weights" : ""));
  }
  if (same > kMostSameSteps)
    out.remarks.push_back(fmt::format("{} more files have the step of another one.", same - kMostSameSteps));
  const auto averaged =
      std::count_if(t.points.begin(), t.points.end(), [](const Point& point) { return point.averaged; });
  if (averaged > 0 && static_cast<std::size_t>(averaged) < t.points.size())
    out.remarks.push_back(
        fmt::format("The weights of {} of {} files are averages.", averaged, t.points.size()));
}

std::string range_of(const Trajectory& t, std::string_view name, std::optional<double> Point::*field) {
  std::vector<double> all;
  for (const Point& point : t.points)
    if (point.*field) all.push_back(*(point.*field));
  if (all.empty()) return {};
  const auto [low, high] = std::minmax_element(all.begin(), all.end());
  return *low == *high ? fmt::format("{} {}", name, format_whole(*low))
                       : fmt::format("{} {} -> {}", name, format_whole(*low), format_whole(*high));
}

void add_highlights(const Trajectory& t, report::Report& out) {
  out.highlights.push_back({"checkpoints", std::to_string(t.points.size()), report::Style::kPlain});
  const auto add = [&](std::string label, const std::string& text,
                       report::Style style = report::Style::kPlain) {
    if (!text.empty()) out.highlights.push_back({std::move(label), text, style});
  };
  add("step", range_of(t, "", &Point::step));
  add(training::keys::kEpoch, range_of(t, "", &Point::epoch));
  add("odd", t.odd.empty() ? "nothing" : std::to_string(t.odd.size()),
      t.odd.empty() ? report::Style::kGood : report::Style::kWarning);
}

}  // namespace

std::string_view to_string(OrderedBy by) {
  switch (by) {
    case OrderedBy::kStep: return "step";
    case OrderedBy::kEpoch: return training::keys::kEpoch;
    case OrderedBy::kGiven: return "given";
  }
  return "";
}

std::string_view to_string(ChangeFrom from) { return from == ChangeFrom::kBase ? "base" : "previous"; }

double change_of(const Movement& previous, const Movement& base, ChangeFrom from) {
  return from == ChangeFrom::kBase ? base.relative() : previous.relative();
}

void to_report(const std::shared_ptr<const Trajectory>& trajectory, const Order& order,
               const TrajectoryView& view, report::Report& out) {
  const Trajectory& t = *trajectory;
  out.has_findings = false;
  out.facts.push_back({"from", to_string(view.from)});
  add_trajectory_sections(trajectory, view, out);
  add_tables(trajectory, order, out);
  add_plots(t, view, out);
  add_highlights(t, out);
  add_remarks(t, order, out);
  const std::string steps = range_of(t, "step", &Point::step);
  out.verdict =
      fmt::format("{}{}: {}", plural(t.points.size(), "checkpoint"), steps.empty() ? "" : ", " + steps,
                  t.odd.empty() ? "nothing odd" : fmt::format("{} odd", t.odd.size()));
  const auto failed = static_cast<std::size_t>(std::count_if(
      out.inputs.begin(), out.inputs.end(), [](const report::Input& input) { return !input.error.empty(); }));
  if (failed > 0) out.verdict += fmt::format("; {} could not be read", plural(failed, "file"));
  out.verdict_style = t.odd.empty() ? report::Style::kGood : report::Style::kStrong;
}

}  // namespace ckpt::diff
