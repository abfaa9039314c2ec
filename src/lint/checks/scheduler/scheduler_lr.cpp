// A scheduler that remembers another learning rate than the optimizer has, and one that was made for other
// learning rates than those that the optimizers started with.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/scheduler/scheduler_rates.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"rtol", ParamType::kNumber, "1.0e-6", "relative difference that is still the same learning rate"},
};

std::string lr_path(const OptimizerRates& optimizer, std::size_t group, std::string_view key) {
  return key_path(index_path(key_path(optimizer.path, keys::kParamGroups), group), key);
}

// --- the last rate ----------------------------------------------------------------------------------------

constexpr std::string_view kLastFields[] = {"last", "lr", "where"};

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

// Several schedulers on one optimizer: the one that stepped last wins, the others are behind by nature.
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
    // Among alike optimizers the o-th scheduler is the likely one.
    const auto likely = std::find(drivers.begin(), drivers.end(), o);
    const auto& scheduler = rates.schedulers[likely == drivers.end() ? drivers.front() : *likely];
    auto group = difference(scheduler.last, optimizer.lrs, rtol);
    while (group && optimizer.lrs[*group] == 0.0 && !explains_zero(rates, drivers, *group))
      group = difference(scheduler.last, optimizer.lrs, rtol, *group + 1);  // optimizer-lr-zero
    if (group) emit(drift_hit(scheduler, optimizer, *group));
  }
}

// --- the first rate ---------------------------------------------------------------------------------------

constexpr std::string_view kBaseFields[] = {"text"};

// Sorted, so that many rates are looked up in a few steps each.
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
    if (!scheduler.fits) continue;  // scheduler-group-count says it
    for (std::size_t i = 0; i < scheduler.base.size(); ++i) {
      const double base = scheduler.base[i];
      if (knows(initial, base, rtol)) continue;
      const bool lost = rates.schedulers.size() > rates.optimizers.size();
      Hit hit = text_hit(
          key_path(scheduler.path, keys::kBaseLrs), "base-lr",
          fmt::format("{}, but initial_lr of the parameter groups is {}: {}", format_double(base),
                      list_of(initial),
                      lost ? "the scheduler of an optimizer that is not in the file, or made for other rates"
                           : "the scheduler was made for other learning rates"),
          report::PlaceKind::kArray);
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
      Hit hit = text_hit(
          key_path(optimizer.path, keys::kParamGroups), "initial-lr",
          fmt::format(
              "initial_lr is {}, which only a scheduler leaves, but base_lrs of the schedulers is {}: "
              "the scheduler of this optimizer is not in the file",
              format_double(initial), list_of(base)),
          report::PlaceKind::kArray);
      hit.properties = {{"initialLr", initial}};
      emit(std::move(hit));
      break;
    }
  }
}

// A changed base_lrs leaves an initial_lr without a scheduler as well: one cause, one finding.
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
  // With another scheduler on the same optimizer, one of the two is behind from the beginning.
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
                         .fields = kLastFields,
                         .run = run_last};

const Check kSchedulerBase{.name = "scheduler-base",
                           .help = "schedulers that were made for other learning rates than the optimizers'",
                           .needs = kStats,
                           .params = kParams,
                           .fields = kBaseFields,
                           .run = run_base};

}  // namespace ckpt::lint
