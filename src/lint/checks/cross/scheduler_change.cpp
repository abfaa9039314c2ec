// A learning rate schedule that is not the one of the base: what resuming makes of it, and other settings.
#include <algorithm>
#include <array>

#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {
    {"scheduler-missing", "message"},
    {"scheduler-unexpected", "message"},
    {"scheduler-type", "message"},
    {"setting", "base now"},
};

// What a scheduler is set up with (torch/optim/lr_scheduler.py). Everything else in its state is progress, or
// came and went with versions of torch.
constexpr std::string_view kSettings[] = {
    "step_size",  "milestones",  "_milestones", "gamma",   "total_iters", "start_factor",
    "end_factor", "factor",      "power",       "T_max",   "T_0",         "T_mult",
    "eta_min",    "total_steps", "total_size",  "max_lrs", "patience",    "cooldown",
    "min_lrs",    "threshold",   "mode",        "max_lr",  keys::kBaseLrs};

// lr_schedulers[0]._schedulers[1].milestones["30"]: a setting, or a part of one.
bool is_setting(std::string_view path) {
  return std::any_of(std::begin(kSettings), std::end(kSettings), [&](std::string_view setting) {
    const std::size_t at = path.find("." + std::string(setting));
    if (at == path.npos) return false;
    const std::size_t end = at + 1 + setting.size();
    return end == path.size() || path[end] == '[' || path[end] == '.';
  });
}

void run(const Context& context, const Rule&, const Emit& emit) {
  static const std::array<std::string, 3> kCompat = {"compat-scheduler-missing",
                                                     "compat-scheduler-unexpected", "compat-scheduler-type"};
  std::vector<std::string> told;  // the settings of another kind of scheduler are another kind of settings
  emit_incompatibilities(context, kCompat, [&](Hit hit) {
    told.push_back(hit.path);
    emit(std::move(hit));
  });
  for (const diff::Change& change : context.diff->changes) {
    if (change.part != diff::Part::kSchedulers || !is_setting(change.path)) continue;
    if (std::any_of(told.begin(), told.end(),
                    [&](const std::string& path) { return diff::is_below(change.path, path); }))
      continue;
    Hit hit = change_hit(change, "setting");
    hit.fields = {{"base", show_base(context, change)}, {"now", show_now(context, change)}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kSchedulerChange{
    .name = "scheduler-change",
    .help = "learning rate schedulers of another kind or with other settings than in the base",
    .needs = kDiff,
    .params = {},
    .run = run,
    .kinds = kKinds};

}  // namespace ckpt::lint
