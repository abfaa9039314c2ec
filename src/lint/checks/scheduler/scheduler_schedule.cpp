// Schedulers whose numbers contradict their own settings: the last learning rate is not the one that the
// schedule gives, or a scheduler inside of another one is at another step.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/scheduler/closed_form.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {
    {"rate", "last type expected steps"},
    {"inner", "last outer expected"},  // of SequentialLR
    {"inner-lost", "found expected"},  // of SequentialLR
    {"apart", "last other"},           // of ChainedScheduler
    {"cycle", "last cycle period"},    // of CosineAnnealingWarmRestarts
};

std::string count(double steps) { return fmt::format("{:.0f}", steps); }

struct Judge {
  const Context& context;
  const Scalars& scalars;
  const Tree& tree;
  const Emit& emit;

  void rate(const Scheduler& at, std::string_view type, const std::optional<Rated>& rated,
            double steps) const {
    if (!rated || rated->fits) return;
    Hit hit = make_hit(at.path, "rate", report::PlaceKind::kObject);
    hit.fields = {{"last", format_double(rated->last)},
                  {"type", std::string(type)},
                  {"expected", format_short(rated->expected)},
                  {"steps", count(steps)}};
    hit.properties = {{"lastLr", rated->last}, {"expected", rated->expected}};
    emit(std::move(hit));
  }

  // T_cur counts from the last restart, T_i is the period since then. step(epoch) takes fractions of an
  // epoch.
  bool cycle(const Scheduler& at) const {
    const auto number = [&](std::string_view key) { return number_of(tree, member(tree, at.node, key)); };
    const auto last = number(keys::kLastEpoch), first = number("T_0"), period = number("T_i"),
               factor = number("T_mult"), done = number("T_cur");
    if (!last || !first || !period || !factor || !done || !(*first >= 1) || !(*factor >= 1) || !(*last >= 0))
      return true;
    // The restarts before: T_0 (1 + T_mult + T_mult^2 + ...).
    const double before =
        *factor == 1 ? std::floor(*last / *first) * *first : (*period - *first) / (*factor - 1);
    if (std::floor(before + *done) == *last) return true;
    Hit hit = make_hit(key_path(at.path, keys::kLastEpoch), "cycle");
    hit.fields = {{"last", count(*last)}, {"cycle", format_short(*done)}, {"period", format_short(*period)}};
    emit(std::move(hit));
    return false;
  }

  void alone(const Scheduler& at) const {
    const auto last = number_of(tree, at.last_epoch);
    if (!last || !cycle(at)) return;
    rate(at, at.type, compare_rates(context, scalars, at, *last), *last);
  }

  // load_state_dict pairs what was saved with the schedulers that there are: the rest starts again.
  void lost(const Scheduler& outer, std::size_t found, std::size_t milestones) const {
    Hit hit = make_hit(key_path(outer.path, keys::kInnerSchedulers), "inner-lost", report::PlaceKind::kArray);
    hit.fields = {{"found", std::to_string(found)}, {"expected", std::to_string(milestones + 1)}};
    emit(std::move(hit));
  }

  // torch/optim/lr_scheduler.py, SequentialLR.step: each scheduler inside starts with 0 at its milestone.
  void sequential(const Scheduler& outer, std::span<const Scheduler> inner) const {
    const auto milestones = sequence(tree, member(tree, outer.node, "_milestones"));
    const auto steps = number_of(tree, outer.last_epoch);
    if (!milestones.empty() && inner.size() < milestones.size() + 1)
      return lost(outer, inner.size(), milestones.size());
    if (!steps || inner.size() != milestones.size() + 1) return;
    std::size_t active = 0;
    double start = 0;
    for (const NodeId node : milestones) {
      const auto milestone = number_of(tree, node);
      if (!milestone) return;
      if (*milestone > *steps) break;
      ++active;
      start = *milestone;
    }
    const Scheduler& at = inner[active];
    const auto last = number_of(tree, at.last_epoch);
    if (!last || member(tree, at.node, keys::kInnerSchedulers) != kNoNode) return;
    if (*last != *steps - start) {
      Hit hit = make_hit(key_path(at.path, keys::kLastEpoch), "inner");
      hit.fields = {{"last", count(*last)}, {"outer", count(*steps)}, {"expected", count(*steps - start)}};
      hit.properties = {{"lastEpoch", *last}, {"expected", *steps - start}};
      return emit(std::move(hit));
    }
    if (!cycle(at)) return;
    const auto curve = curve_after(tree, at.node, *last);
    if (curve) rate(outer, at.type, compare_rates(context, scalars, at, outer, *curve), *last);
  }

  // ChainedScheduler steps all of them together.
  void chained(const Scheduler& outer, std::span<const Scheduler> inner) const {
    std::optional<double> first;
    for (const Scheduler& at : inner) {
      const auto last = number_of(tree, at.last_epoch);
      if (!last || member(tree, at.node, keys::kInnerSchedulers) != kNoNode) return;
      if (first && *last != *first) {
        Hit hit = make_hit(key_path(at.path, keys::kLastEpoch), "apart");
        hit.fields = {{"last", count(*last)}, {"other", count(*first)}};
        return emit(std::move(hit));
      }
      first = last;
    }
    const auto curve = chained_curve(tree, inner);
    if (first && curve)
      rate(outer, outer.type, compare_rates(context, scalars, inner.front(), outer, *curve), *first);
  }
};

// With more schedulers than optimizers, several drive one, and each finds what the others have set.
void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto schedulers = schedulers_of(context);
  const auto tops =
      std::count_if(schedulers.begin(), schedulers.end(), [](const auto& at) { return !at.inner; });
  const bool shared = static_cast<std::size_t>(tops) > optimizers_of(context).size();
  const Scalars scalars(context, rule);
  const Judge judge{context, scalars, context.file().tree, emit};
  for (std::size_t i = 0; i < schedulers.size();) {
    const Scheduler& top = schedulers[i];
    const std::size_t begin = ++i;
    while (i < schedulers.size() && schedulers[i].inner) ++i;
    const auto inner = schedulers.subspan(begin, i - begin);
    if (shared) continue;
    if (!top.composite)
      judge.alone(top);
    else if (member(context.file().tree, top.node, "_milestones") != kNoNode)
      judge.sequential(top, inner);
    else
      judge.chained(top, inner);
  }
}

}  // namespace

const Check kSchedulerSchedule{.name = "scheduler-schedule",
                               .help = "schedulers whose last learning rate is not what their schedule gives",
                               .needs = kStats,
                               .params = {},
                               .run = run,
                               .kinds = kKinds};

}  // namespace ckpt::lint
