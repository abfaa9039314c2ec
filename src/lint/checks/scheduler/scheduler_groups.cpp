// Schedulers made for a number of parameter groups that no optimizer has.
#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "lint/checks/list.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {{"group-count", "values groups"}, {"groups-added", "values groups"}};

// Lists of torch.optim.lr_scheduler that hold one number per group.
constexpr std::string_view kPerGroup[] = {keys::kBaseLrs, keys::kLastLr, "min_lrs"};

struct Groups {
  std::set<std::size_t> counts;  // of all optimizers
  bool fits(std::size_t size) const { return counts.contains(size); }
  std::string text() const {
    if (counts.size() == 1) return std::to_string(*counts.begin());
    return fmt::format("{}-{}", *counts.begin(), *counts.rbegin());
  }
};

// These compute the rates of a step from those of the groups, so that a group that was added later is
// scheduled like the others. The rest pair base_lrs with the groups and raise ValueError (torch 2.13) or skip
// the group (older versions).
bool follows_groups(std::string_view type) {
  constexpr std::string_view kTypes[] = {
      "StepLR",       "MultiStepLR",       "ExponentialLR",    "ConstantLR",       "LinearLR",
      "PolynomialLR", "CosineAnnealingLR", "ChainedScheduler", "ReduceLROnPlateau"};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

// A scheduler without such lists has nothing to compare.
void judge(const Context& context, const Scheduler& scheduler, const Groups& groups, bool finetuned,
           const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto rates = sequence(tree, scheduler.last_lr).size();
  for (const auto key : kPerGroup) {
    const NodeId list = member(tree, scheduler.node, key);
    const auto size = sequence(tree, list).size();
    if (!is_sequence(tree, list) || size == 0 || groups.fits(size)) continue;
    // Fewer rates than groups: groups were added after the scheduler was made, or after its last step.
    const bool added_later =
        key == keys::kBaseLrs && size < *groups.counts.begin() && (groups.fits(rates) || rates == size);
    if (added_later && (finetuned || follows_groups(scheduler.type))) return;
    Hit hit = make_hit(key_path(scheduler.path, key),
                       added_later && groups.fits(rates) ? "groups-added" : "group-count",
                       report::PlaceKind::kArray);
    hit.fields = {{"values", std::to_string(size)}, {"groups", groups.text()}};
    hit.properties = {{"values", std::uint64_t{size}}};
    emit(std::move(hit));
    return;
  }
}

void run(const Context& context, const Rule&, const Emit& emit) {
  Groups groups;
  for (const auto& optimizer : optimizers_of(context)) {
    if (optimizer.groups.empty()) return;  // a scheduler may belong to it
    groups.counts.insert(optimizer.groups.size());
  }
  if (groups.counts.empty()) return;
  const bool finetuned = training::is_finetuned(context.file().tree, context.training().callbacks);
  for (const auto& scheduler : schedulers_of(context)) judge(context, scheduler, groups, finetuned, emit);
}

}  // namespace

const Check kSchedulerGroups{.name = "scheduler-groups",
                             .help = "schedulers for a number of parameter groups that no optimizer has",
                             .needs = kNothing,
                             .params = {},
                             .run = run,
                             .kinds = kKinds};

}  // namespace ckpt::lint
