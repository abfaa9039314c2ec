// Groups that do not learn: a learning rate of 0 that no schedule explains.
#include <map>

#include "lint/checks/list.h"
#include "lint/checks/scheduler_rates.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"lr", "group", "groups", "scheduled"};

// T27: 0 is right at a schedule's end and at a warm-up's start. T28: nothing links a scheduler to its
// optimizer, so every scheduler with a rate for each group may explain it; one that does not say its rates
// explains all (T9).
struct Schedules {
  bool silent = false;
  struct Rate {
    bool zero = false;  // of any scheduler
    std::string said;   // by the first scheduler
  };
  // By the number of groups, then the group. Filled once: a hostile file lists one scheduler a million times.
  std::map<std::size_t, std::vector<Rate>> rates;
};

void add_rates(const Tree& tree, const std::string& path, NodeId last, Schedules& schedules) {
  const auto numbers = sequence(tree, last);
  auto& rates = schedules.rates[numbers.size()];
  rates.resize(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    rates[i].zero = rates[i].zero || number_of(tree, numbers[i]) == 0.0;
    if (rates[i].said.empty()) rates[i].said = path + " says " + show(tree, numbers[i]);
  }
}

// Schedulers inside of another one are not asked: its own rates are the groups'.
Schedules schedules_of(const Context& context) {
  const Tree& tree = context.file().tree;
  Schedules schedules;
  for (const auto& scheduler : schedulers_of(context)) {
    if (scheduler.path != index_path("lr_schedulers", scheduler.top)) continue;
    const NodeId last = member(tree, scheduler.node, "_last_lr");
    schedules.silent = schedules.silent || last == kNoNode;
    if (is_sequence(tree, last)) add_rates(tree, key_path(scheduler.path, "_last_lr"), last, schedules);
  }
  return schedules;
}

// What the schedulers say about a group; nullopt where one of them says 0, too.
std::optional<std::string> other_rate(const Schedules& schedules, std::size_t groups, std::size_t group) {
  const auto rates = schedules.rates.find(groups);
  if (rates == schedules.rates.end()) return "no scheduler sets it";
  const auto& rate = rates->second[group];
  return rate.zero ? std::nullopt : std::optional(rate.said);
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  if (number_of(tree, context.items().global_step).value_or(0.0) <= 0.0) return;
  const auto schedules = schedules_of(context);
  if (schedules.silent) return;
  const auto rates = rates_of(context, Scalars(context, rule));
  const auto optimizers = optimizers_of(context);
  for (std::size_t o = 0; o < optimizers.size(); ++o) {
    const auto& optimizer = optimizers[o];
    const auto drivers = o < rates.optimizers.size() ? drivers_of(rates, o) : std::vector<std::size_t>{};
    const auto count = optimizer.groups.size();
    for (std::size_t g = 0; g < count; ++g) {
      const NodeId lr = member(tree, optimizer.groups[g], "lr");
      if (number_of(tree, lr) != 0.0) continue;
      const auto other = other_rate(schedules, count, g);
      // At a schedule's end 0 is right, and the scheduler's own rate is what was changed: scheduler-lr-drift.
      if (!other || explains_zero(rates, drivers, g)) continue;
      Hit hit = make_hit(key_path(optimizer.group_path(g), "lr"), "lr-zero");
      hit.fields = {{"lr", show(tree, lr)},
                    {"group", std::to_string(g)},
                    {"groups", std::to_string(count)},
                    {"scheduled", *other}};
      emit(std::move(hit));
    }
  }
}

}  // namespace

const Check kOptimizerLr{.name = "optimizer-lr",
                         .help = "parameter groups with a learning rate of 0 that no schedule explains",
                         .needs = kNothing,
                         .params = {},
                         .fields = kFields,
                         .run = run};

}  // namespace ckpt::lint
