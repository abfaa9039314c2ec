// Schedulers whose last learning rate is not the optimizer's, and schedulers that were made for other
// learning rates than the optimizers started with.
#include <algorithm>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/scheduler/scheduler_rates.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"rtol", ParamType::kNumber, "1.0e-6", "relative difference up to which two learning rates are the same"},
};

std::string lr_path(const OptimizerRates& optimizer, std::size_t group, std::string_view key) {
  return key_path(index_path(key_path(optimizer.path, keys::kParamGroups), group), key);
}

// --- the last rate ----------------------------------------------------------------------------------------

constexpr KindSpec kLastKinds[] = {{"lr-drift", "last lr where"}};

// The first group whose rate differs, from `first` on.
std::optional<std::size_t> difference(const Rates& a, const Rates& b, double rtol, std::size_t first = 0) {
  for (std::size_t i = first; i < a.size() && i < b.size(); ++i)
    if (!same_rate(a[i], b[i], rtol)) return i;
  return std::nullopt;
}

Hit drift_hit(const SchedulerRates& scheduler, const OptimizerRates& optimizer, std::size_t group) {
  const double last = scheduler.last[group], lr = optimizer.lrs[group];
  Hit hit = make_hit(key_path(scheduler.path, keys::kLastLr), "lr-drift", report::PlaceKind::kArray);
  hit.fields = {{"last", format_double(last)},
                {"lr", format_double(lr)},
                {"where", lr_path(optimizer, group, keys::kLr)}};
  hit.properties = {{"lastLr", last}, {"lr", lr}, {"group", std::uint64_t{group}}};
  return hit;
}

// With several schedulers on one optimizer, the one that stepped last sets the rate and the others are
// behind.
void run_last(const Context& context, const Rule& rule, const Emit& emit) {
  const double rtol = rule.number("rtol");
  const auto rates = rates_of(context, Scalars(context, rule));
  for (std::size_t o = 0; o < rates.optimizers.size(); ++o) {
    const auto& optimizer = rates.optimizers[o];
    const auto drivers = drivers_of(rates, o);
    if (optimizer.lrs.empty() || drivers.empty()) continue;
    const bool explained = std::any_of(drivers.begin(), drivers.end(), [&](std::size_t s) {
      return !difference(rates.schedulers[s].last, optimizer.lrs, rtol);
    });
    if (explained) continue;
    // If the optimizers are alike, the o-th scheduler is the likely one.
    const auto likely = std::find(drivers.begin(), drivers.end(), o);
    const auto& scheduler = rates.schedulers[likely == drivers.end() ? drivers.front() : *likely];
    auto group = difference(scheduler.last, optimizer.lrs, rtol);
    // A rate of 0 that no schedule explains is optimizer-lr-zero's.
    while (group && optimizer.lrs[*group] == 0.0 && !explains_zero(rates, drivers, *group))
      group = difference(scheduler.last, optimizer.lrs, rtol, *group + 1);
    if (group) emit(drift_hit(scheduler, optimizer, *group));
  }
}

// --- the first rate ---------------------------------------------------------------------------------------

constexpr KindSpec kBaseKinds[] = {
    {"base-lr", "base initial"},
    {"base-lr-of-lost", "base initial"},
    {"initial-lr", "initial base"},
};

// A binary search: files may hold many rates.
bool knows(const Rates& sorted, double rate, double rtol) {
  const auto next = std::lower_bound(sorted.begin(), sorted.end(), rate);
  return (next != sorted.end() && same_rate(*next, rate, rtol)) ||
         (next != sorted.begin() && same_rate(*std::prev(next), rate, rtol));
}

std::string list_of(const Rates& sorted) {
  constexpr std::size_t kShown = 4;
  std::string text;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < sorted.size() && shown < kShown; ++i) {
    if (i > 0 && sorted[i] == sorted[i - 1]) continue;
    text += (text.empty() ? "" : ", ") + format_double(sorted[i]);
    ++shown;
  }
  return text;
}

void base_hits(const FileRates& rates, const Rates& initial, double rtol, const Emit& emit) {
  for (const auto& scheduler : rates.schedulers) {
    for (std::size_t i = 0; i < scheduler.base.size(); ++i) {
      const double base = scheduler.base[i];
      if (knows(initial, base, rtol)) continue;
      const bool lost = rates.schedulers.size() > rates.optimizers.size();
      Hit hit =
          make_hit(scheduler.base_path, lost ? "base-lr-of-lost" : "base-lr", report::PlaceKind::kArray);
      hit.fields = {{"base", format_double(base)}, {"initial", list_of(initial)}};
      hit.properties = {{"baseLr", base}, {"group", std::uint64_t{i}}};
      emit(std::move(hit));
      break;
    }
  }
}

void initial_hits(const FileRates& rates, const Rates& base, double rtol, const Emit& emit) {
  for (const auto& optimizer : rates.optimizers) {
    for (std::size_t i = 0; i < optimizer.initial.size(); ++i) {
      const double initial = optimizer.initial[i];
      if (knows(base, initial, rtol)) continue;
      Hit hit =
          make_hit(key_path(optimizer.path, keys::kParamGroups), "initial-lr", report::PlaceKind::kArray);
      hit.fields = {{"initial", format_double(initial)}, {"base", list_of(base)}};
      hit.properties = {{"initialLr", initial}};
      emit(std::move(hit));
      break;
    }
  }
}

// A changed base_lrs also leaves an initial_lr without a scheduler: one cause, one finding.
void run_base(const Context& context, const Rule& rule, const Emit& emit) {
  const double rtol = rule.number("rtol");
  const auto rates = rates_of(context, Scalars(context, rule));
  Rates initial, base;
  bool all_known = !rates.schedulers.empty(), sets_first = false;
  for (const auto& optimizer : rates.optimizers)
    initial.insert(initial.end(), optimizer.initial.begin(), optimizer.initial.end());
  for (const auto& scheduler : rates.schedulers) {
    base.insert(base.end(), scheduler.base.begin(), scheduler.base.end());
    all_known = all_known && scheduler.says && scheduler.fits;
    sets_first = sets_first || scheduler.sets_first;
  }
  // With another scheduler on the same optimizer, one of the two is behind from the start.
  if (sets_first && rates.schedulers.size() > rates.optimizers.size()) return;
  if (initial.empty() || base.empty()) return;
  std::sort(initial.begin(), initial.end());
  std::sort(base.begin(), base.end());
  bool said = false;
  base_hits(rates, initial, rtol, [&](Hit hit) {
    said = true;
    emit(std::move(hit));
  });
  if (!said && all_known) initial_hits(rates, base, rtol, emit);
}

}  // namespace

const Check kSchedulerLr{.name = "scheduler-lr",
                         .help = "schedulers whose last learning rate is not the optimizer's",
                         .needs = kStats,
                         .params = kParams,
                         .run = run_last,
                         .kinds = kLastKinds};

const Check kSchedulerBase{.name = "scheduler-base",
                           .help = "schedulers and optimizers that started with different learning rates",
                           .needs = kStats,
                           .params = kParams,
                           .run = run_base,
                           .kinds = kBaseKinds};

}  // namespace ckpt::lint
