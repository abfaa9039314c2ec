#include "lint/checks/scheduler/closed_form.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace ckpt::lint {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// NaN, which spreads, for what is not a number.
double setting(const Tree& tree, NodeId scheduler, std::string_view key) {
  return number_of(tree, member(tree, scheduler, key)).value_or(kNone);
}

// --- one class after the other ---------------------------------------------------------------------------

Curve step_curve(const Tree& tree, NodeId at, double steps) {
  return {std::pow(setting(tree, at, "gamma"), std::floor(steps / setting(tree, at, "step_size")))};
}

// A Counter of the steps, before torch 1.3 a list.
Curve multi_step_curve(const Tree& tree, NodeId at, double steps) {
  const NodeId milestones = member(tree, at, "milestones");
  double passed = 0;
  for (const auto& item : mapping_items(tree, milestones))
    if (number_of(tree, item.key).value_or(kNone) <= steps)
      passed += number_of(tree, item.value).value_or(kNone);
  for (const NodeId milestone : sequence(tree, milestones))
    passed += number_of(tree, milestone).value_or(kNone) <= steps ? 1 : 0;
  return {std::pow(setting(tree, at, "gamma"), passed)};
}

Curve exponential_curve(const Tree& tree, NodeId at, double steps) {
  return {std::pow(setting(tree, at, "gamma"), steps)};
}

// Without iterations it never comes to its end: step() waits for last_epoch == total_iters beyond the first.
Curve constant_curve(const Tree& tree, NodeId at, double steps) {
  const double total = setting(tree, at, "total_iters");
  return {steps >= total && total > 0 ? 1.0 : setting(tree, at, "factor")};
}

Curve linear_curve(const Tree& tree, NodeId at, double steps) {
  const double start = setting(tree, at, "start_factor"), end = setting(tree, at, "end_factor");
  const double total = setting(tree, at, "total_iters");
  return {start + (end - start) * std::min(steps, total) / total};
}

Curve polynomial_curve(const Tree& tree, NodeId at, double steps) {
  const double total = setting(tree, at, "total_iters");
  return {std::pow(1 - std::min(steps, total) / total, setting(tree, at, "power"))};
}

Curve cosine(double done, double period, double least) {
  const double share = (1 + std::cos(std::numbers::pi * done / period)) / 2;
  return {share, least * (1 - share)};
}

Curve cosine_curve(const Tree& tree, NodeId at, double steps) {
  return cosine(steps, setting(tree, at, "T_max"), setting(tree, at, "eta_min"));
}

// Restarts count in their own fields.
Curve restarts_curve(const Tree& tree, NodeId at, double) {
  return cosine(setting(tree, at, "T_cur"), setting(tree, at, "T_i"), setting(tree, at, "eta_min"));
}

// --- which class -----------------------------------------------------------------------------------------

struct Form {
  std::array<std::string_view, 5> fields;  // unused ones are empty
  Curve (*curve)(const Tree& tree, NodeId scheduler, double steps);
};
constexpr Form kForms[] = {
    {{"step_size", "gamma"}, step_curve},
    {{"milestones", "gamma"}, multi_step_curve},
    {{"gamma"}, exponential_curve},
    {{"factor", "total_iters"}, constant_curve},
    {{"start_factor", "end_factor", "total_iters"}, linear_curve},
    {{"total_iters", "power"}, polynomial_curve},
    {{"T_max", "eta_min"}, cosine_curve},
    {{"T_0", "T_i", "T_mult", "T_cur", "eta_min"}, restarts_curve},
};
// Of every scheduler, over the versions of torch.
constexpr std::string_view kCommon[] = {keys::kBaseLrs, keys::kLastEpoch, keys::kStepCount,
                                        keys::kLastLr,  "verbose",        "_get_lr_called_within_step",
                                        "_is_initial"};
constexpr std::string_view kOneCycle[] = {"total_steps", "_schedule_phases", "_anneal_func_type",
                                          "anneal_func", "cycle_momentum",   "use_beta1"};

template <class List>
bool holds(const List& list, std::string_view key) {
  return std::find(std::begin(list), std::end(list), key) != std::end(list);
}

// True if the scheduler has no field but the common ones and these.
template <class List>
bool only_has(const Tree& tree, NodeId scheduler, const List& fields) {
  const auto items = mapping_items(tree, scheduler);
  return std::all_of(items.begin(), items.end(), [&](const value::Item& item) {
    const auto key = string_of(tree, item.key).value_or("");
    return !key.empty() && (holds(kCommon, key) || holds(fields, key));
  });
}

const Form* form_of(const Tree& tree, NodeId scheduler) {
  const auto found = std::find_if(std::begin(kForms), std::end(kForms), [&](const Form& form) {
    return std::all_of(form.fields.begin(), form.fields.end(),
                       [&](auto key) { return key.empty() || member(tree, scheduler, key) != kNoNode; }) &&
           only_has(tree, scheduler, form.fields);
  });
  return found == std::end(kForms) ? nullptr : &*found;
}

std::optional<Curve> if_finite(const Curve& curve) {
  const bool finite = std::isfinite(curve.factor) && std::isfinite(curve.offset);
  return finite ? std::optional(curve) : std::nullopt;
}

// --- the rates -------------------------------------------------------------------------------------------

constexpr std::size_t kMostGroups = 1000;  // no training has more

std::optional<std::vector<double>> rates_in(const Scalars& scalars, const Tree& tree, NodeId list,
                                            const std::string& path) {
  const auto nodes = sequence(tree, list);
  if (nodes.empty() || nodes.size() > kMostGroups) return std::nullopt;
  std::vector<double> rates;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto rate = scalars.value(nodes[i], index_path(path, i));
    if (!rate || !std::isfinite(*rate)) return std::nullopt;
    rates.push_back(*rate);
  }
  return rates;
}

std::optional<std::vector<double>> last_rates(const Context& context, const Scalars& scalars,
                                              const Scheduler& at) {
  return rates_in(scalars, context.file().tree, at.last_lr, key_path(at.path, keys::kLastLr));
}

// The recursions of torch lose some digits: most of them near 0, where a cosine is a small difference.
bool near(double last, double expected, double scale) {
  return std::abs(last - expected) <= 1e-4 * std::abs(expected) + 1e-6 * std::abs(scale);
}

struct Phase {
  double end = 0;
  std::string_view from, to;  // keys of a group
};

std::optional<std::vector<Phase>> phases_of(const Tree& tree, NodeId scheduler) {
  std::vector<Phase> phases;
  for (const NodeId node : sequence(tree, member(tree, scheduler, "_schedule_phases"))) {
    const auto from = string_of(tree, member(tree, node, "start_lr")),
               to = string_of(tree, member(tree, node, "end_lr"));
    const auto end = number_of(tree, member(tree, node, "end_step"));
    constexpr std::size_t kMostPhases = 3;
    if (!from || !to || !end || phases.size() == kMostPhases) return std::nullopt;
    phases.push_back({*end, *from, *to});
  }
  return phases.empty() ? std::nullopt : std::optional(phases);
}

// Until torch 2.3, `anneal_func` is the function itself; then the kind of curve is not known here.
std::optional<double> one_cycle_rate(const Tree& tree, std::span<const Phase> phases, std::string_view anneal,
                                     double steps, NodeId group) {
  double start = 0;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    const Phase& phase = phases[i];
    if (steps > phase.end && i + 1 < phases.size()) {
      start = phase.end;
      continue;
    }
    const double from = setting(tree, group, phase.from), to = setting(tree, group, phase.to);
    const double done = (steps - start) / (phase.end - start);
    const double rate = anneal == "cos" ? to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * done))
                                        : (to - from) * done + from;
    return std::isfinite(rate) ? std::optional(rate) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<Rated> compare_one_cycle(const Context& context, const Scalars& scalars, const Scheduler& at,
                                       double steps) {
  const Tree& tree = context.file().tree;
  const auto phases = phases_of(tree, at.node);
  const auto anneal = string_of(tree, member(tree, at.node, "_anneal_func_type"));
  const auto last = last_rates(context, scalars, at);
  if (!phases || (anneal != "cos" && anneal != "linear") || !last || !only_has(tree, at.node, kOneCycle))
    return std::nullopt;
  // Of several optimizers with as many groups, one that fits is enough.
  std::optional<Rated> result;
  for (const auto& optimizer : optimizers_of(context)) {
    if (optimizer.groups.size() != last->size()) continue;
    Rated rated;
    for (std::size_t g = 0; g < last->size() && rated.fits; ++g) {
      const NodeId group = optimizer.groups[g].node;
      const auto rate = one_cycle_rate(tree, *phases, *anneal, steps, group);
      if (!rate) return std::nullopt;
      if (!near((*last)[g], *rate, setting(tree, group, "max_lr"))) rated = {false, (*last)[g], *rate};
    }
    if (!result || rated.fits) result = rated;
  }
  return result;
}

}  // namespace

std::optional<Curve> curve_after(const Tree& tree, NodeId scheduler, double steps) {
  const Form* form = form_of(tree, scheduler);
  return form == nullptr || !(steps >= 0) ? std::nullopt : if_finite(form->curve(tree, scheduler, steps));
}

std::optional<Curve> chained_curve(const Tree& tree, std::span<const Scheduler> inner) {
  Curve all;
  for (const Scheduler& at : inner) {
    const auto steps = number_of(tree, at.last_epoch);
    const auto curve = steps ? curve_after(tree, at.node, *steps) : std::nullopt;
    // A cosine is a factor until its first minimum, restarts never are.
    const auto period = number_of(tree, member(tree, at.node, "T_max"));
    if (!curve || curve->offset != 0 || (period && *steps > *period) ||
        member(tree, at.node, "T_0") != kNoNode)
      return std::nullopt;
    all.factor *= curve->factor;
  }
  return all;
}

std::optional<Rated> compare_rates(const Context& context, const Scalars& scalars, const Scheduler& base,
                                   const Scheduler& last, const Curve& curve) {
  const Tree& tree = context.file().tree;
  const auto bases =
      rates_in(scalars, tree, member(tree, base.node, keys::kBaseLrs), key_path(base.path, keys::kBaseLrs));
  const auto rates = last_rates(context, scalars, last);
  if (!bases || !rates || bases->size() != rates->size()) return std::nullopt;
  for (std::size_t g = 0; g < rates->size(); ++g) {
    const double expected = curve.factor * (*bases)[g] + curve.offset;
    if (!near((*rates)[g], expected, (*bases)[g])) return Rated{false, (*rates)[g], expected};
  }
  return Rated{};
}

std::optional<Rated> compare_rates(const Context& context, const Scalars& scalars, const Scheduler& scheduler,
                                   double steps) {
  if (member(context.file().tree, scheduler.node, "_schedule_phases") != kNoNode)
    return compare_one_cycle(context, scalars, scheduler, steps);
  const auto curve = curve_after(context.file().tree, scheduler.node, steps);
  return curve ? compare_rates(context, scalars, scheduler, scheduler, *curve) : std::nullopt;
}

}  // namespace ckpt::lint
