// Groups that no longer learn: a learning rate of 0 that no schedule explains.
#include <map>
#include <set>

#include "lint/checks/list.h"
#include "lint/checks/scheduler/scheduler_rates.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {
    {"lr-zero", "lr group groups"},
    {"lr-zero-of-schedule", "lr group groups scheduled where"},
};

// What the first scheduler with a rate for the group says; empty if there is none.
struct OtherRate {
  std::string value, path;
};

// 0 is right at the end of a schedule and at the start of a warm-up. No file links a scheduler to its
// optimizer, so every scheduler with a rate for each group may explain it; one that does not save its rates
// explains everything.
struct Schedules {
  bool silent = false;
  struct Rate {
    bool zero = false;  // for any scheduler
    OtherRate first;
  };
  // By the number of groups, then the group. Filled once: a hostile file may list a scheduler a million
  // times.
  std::map<std::size_t, std::vector<Rate>> rates;
};

void add_rates(const Checkpoint& file, const Scalars& scalars, const std::string& path, NodeId last,
               Schedules& schedules) {
  const auto numbers = sequence(file.tree, last);
  auto& rates = schedules.rates[numbers.size()];
  rates.resize(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto value = scalars.value(numbers[i], index_path(path, i));
    rates[i].zero = rates[i].zero || value == 0.0;
    if (rates[i].first.path.empty()) rates[i].first = {show_scalar(file, numbers[i], value), path};
  }
}

// A composite scheduler's own rates are those of the groups; the schedulers inside it do not matter.
Schedules schedules_of(const Context& context, const Scalars& scalars) {
  const Tree& tree = context.file().tree;
  Schedules schedules;
  for (const auto& scheduler : schedulers_of(context)) {
    if (scheduler.inner) continue;
    schedules.silent = schedules.silent || scheduler.last_lr == kNoNode;
    if (is_sequence(tree, scheduler.last_lr))
      add_rates(context.file(), scalars, key_path(scheduler.path, keys::kLastLr), scheduler.last_lr,
                schedules);
  }
  return schedules;
}

// nullopt if a scheduler also has 0 for the group.
std::optional<OtherRate> other_rate(const Schedules& schedules, std::size_t groups, std::size_t group) {
  const auto rates = schedules.rates.find(groups);
  if (rates == schedules.rates.end()) return OtherRate{};
  const auto& rate = rates->second[group];
  return rate.zero ? std::nullopt : std::optional(rate.first);
}

// Groups without any state in an optimizer that keeps some: they are frozen, and their rate does not matter.
std::set<std::size_t> groups_without_state(const Tree& tree, const Optimizer& optimizer) {
  std::set<std::size_t> groups;
  const auto by_id = training::groups_by_id(tree, optimizer);
  for (std::size_t g = 0; g < optimizer.groups.size(); ++g) groups.insert(g);
  bool any = false;
  for (const auto& item : mapping_items(tree, optimizer.state))
    if (const auto group = by_id.find(id_text(tree, item.key)); group != by_id.end()) {
      groups.erase(group->second);
      any = true;
    }
  return any ? groups : std::set<std::size_t>{};
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  if (context.training().progress.global_step.value_or(0.0) <= 0.0) return;
  // Many loops of their own compute the rate and keep no scheduler.
  if (!context.training().progress.of_trainer && context.training().schedulers.empty()) return;
  const Scalars scalars(context, rule);
  const auto schedules = schedules_of(context, scalars);
  if (schedules.silent) return;
  const auto rates = rates_of(context, scalars);
  const auto optimizers = optimizers_of(context);
  for (std::size_t o = 0; o < optimizers.size(); ++o) {
    const auto& optimizer = optimizers[o];
    const auto drivers = o < rates.optimizers.size() ? drivers_of(rates, o) : std::vector<std::size_t>{};
    const auto count = optimizer.groups.size();
    std::optional<std::set<std::size_t>> frozen;
    for (std::size_t g = 0; g < count; ++g) {
      const NodeId lr = member(tree, optimizer.groups[g].node, keys::kLr);
      const auto rate = scalars.value(lr, key_path(optimizer.group_path(g), keys::kLr));
      if (rate != 0.0) continue;
      const auto other = other_rate(schedules, count, g);
      // At the end of a schedule 0 is right: if the scheduler's own rate differs, that one was changed.
      if (!other || explains_zero(rates, drivers, g)) continue;
      if (!frozen) frozen = groups_without_state(tree, optimizer);
      if (frozen->contains(g)) continue;
      Hit hit = make_hit(key_path(optimizer.group_path(g), keys::kLr),
                         other->path.empty() ? "lr-zero" : "lr-zero-of-schedule");
      hit.fields = {{"lr", show_scalar(context.file(), lr, rate)},
                    {"group", std::to_string(g)},
                    {"groups", std::to_string(count)},
                    {"scheduled", other->value},
                    {"where", other->path}};
      emit(std::move(hit));
    }
  }
}

}  // namespace

const Check kOptimizerLr{.name = "optimizer-lr",
                         .help = "parameter groups with a learning rate of 0 that no schedule explains",
                         .needs = kStats,
                         .params = {},
                         .run = run,
                         .kinds = kKinds};

}  // namespace ckpt::lint
