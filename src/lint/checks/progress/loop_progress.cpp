// What the loops say about progress, among themselves and beside epoch and global_step.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/progress/step_count.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {keys::kEpoch, "order", "mid-epoch", "untrained",
                                         "several-optimizers"};
constexpr ParamSpec kParams[] = {
    {"find", ParamType::kString, "", "epoch | order | mid-epoch | untrained | several-optimizers", kChoices},
};
constexpr std::string_view kFields[] = {"text"};

// T17: before 1.6 epoch and global_step had another meaning, and loops another one.
bool since_1_6(const Context& context) {
  return context.items().version && context.items().version->at_least(1, 6);
}

// --- epoch: Trainer.current_epoch is epoch_progress.current.completed --------------------------------------

void find_epoch(const Context& context, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto epoch = context.training().progress.epoch;
  const NodeId progress = member(tree, context.training().progress.epoch_progress, "current");
  const auto completed = number_of(tree, member(tree, progress, "completed"));
  if (!epoch || !completed || *epoch == *completed || !since_1_6(context)) return;
  Hit hit = text_hit(keys::kEpoch, "epoch-mismatch",
                     fmt::format("{:.0f}, but loops.fit_loop.epoch_progress.current.completed is {:.0f}",
                                 *epoch, *completed));
  hit.properties = {{keys::kEpoch, *epoch}, {"completed", *completed}};
  emit(std::move(hit));
}

// --- order: ready >= started >= processed >= completed >= 0, total >= current (loops/progress.py) ----------

constexpr std::array<std::string_view, 4> kStages = {"ready", "started", "processed", "completed"};

std::string disorder(const Tree& tree, NodeId progress) {
  std::string_view before;
  std::optional<double> high;
  for (const auto stage : kStages) {
    const auto count = number_of(tree, member(tree, progress, stage));
    if (!count) continue;
    if (*count < 0) return fmt::format("{} is {:.0f}", stage, *count);
    if (high && *count > *high)
      return fmt::format("{} {:.0f} is more than {} {:.0f}", stage, *count, before, *high);
    before = stage;
    high = count;
  }
  return {};
}

// The total of the validation inside of training starts anew with every epoch (training_epoch_loop.py,
// on_run_start), the current count with every validation: it may be ahead.
bool has_running_total(std::string_view path) { return path.find("val_loop") == std::string_view::npos; }

std::string behind(const Tree& tree, NodeId total, NodeId current) {
  for (const auto stage : kStages) {
    const auto all = number_of(tree, member(tree, total, stage)),
               now = number_of(tree, member(tree, current, stage));
    if (all && now && *all < *now)
      return fmt::format("total {} {:.0f} is less than current {} {:.0f}", stage, *all, stage, *now);
  }
  return {};
}

// One step at most for each batch that was begun (training_epoch_loop.py, advance). The migration of 1.6.5
// begins with global_step, which several optimizers move on as well.
void find_steps_beyond(const Tree& tree, const training::Progress& progress, const Emit& emit) {
  const auto stepped = number_of(tree, member(tree, progress.epoch_loop_state, keys::kBatchesThatStepped));
  const auto ready = number_of(tree, member(tree, member(tree, progress.batch_progress, "total"), "ready"));
  const double most = std::max(ready.value_or(0), progress.global_step.value_or(0));
  if (!stepped || !ready || (*stepped >= 0 && *stepped <= most)) return;
  Hit hit =
      text_hit(key_path(key_path(keys::kFitLoopPath, keys::kEpochLoopState), keys::kBatchesThatStepped),
               "batches-stepped",
               fmt::format("{:.0f} batches that stepped, but {:.0f} batches were begun", *stepped, *ready));
  hit.properties = {{"stepped", *stepped}, {"batches", *ready}};
  emit(std::move(hit));
}

bool is_set_by_migration(std::string_view path) {
  for (const auto progress : {keys::kEpochProgress, "optim_progress", "optim_step_progress"})
    if (path.find(progress) != std::string_view::npos) return true;
  return false;
}

// One finding a progress: what contradicts within it mostly has one cause.
void find_disorder(const Context& context, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const NodeId fit_loop = context.training().progress.fit_loop;
  const auto mismatch = step_mismatch_of(context);
  const bool migrated = has_migrated_loops(tree, fit_loop);
  std::string said;  // the progress that was told last; its parts follow it
  bool batches_said = false;
  for (const auto& value : values_below(tree, context.items().loops, keys::kLoops)) {
    if (!value.container || !is_mapping(tree, value.id)) continue;
    if (!said.empty() && value.path.starts_with(said)) continue;
    // A progress whose count global_step contradicts is loops-step-mismatch's.
    if (mismatch && value.path.starts_with(mismatch->progress)) continue;
    if (migrated && is_set_by_migration(value.path)) continue;
    const NodeId total = member(tree, value.id, "total"), current = member(tree, value.id, "current");
    std::string text;
    if (total != kNoNode && current != kNoNode && has_running_total(value.path))
      text = behind(tree, total, current);
    else if (member(tree, value.id, "ready") != kNoNode)
      text = disorder(tree, value.id);
    if (text.empty()) continue;
    said = value.path + ".";
    batches_said = batches_said || value.path.find(keys::kBatchProgress) != std::string::npos;
    emit(text_hit(value.path, "order", std::move(text), report::PlaceKind::kObject));
  }
  if (!batches_said) find_steps_beyond(tree, context.training().progress, emit);
}

// --- mid-epoch --------------------------------------------------------------------------------------------

// Since 2.2 a stateful loader keeps its place (fit_loop.state_dict); fault-tolerant files
// of 1.5 to 1.9 theirs.
bool has_loader_state(const Tree& tree, const training::Progress& progress) {
  const NodeId loader = member(tree, member(tree, progress.fit_loop, keys::kStateDict), "combined_loader");
  if (!mapping_items(tree, loader).empty() || !sequence(tree, loader).empty()) return true;
  const NodeId older = member(tree, progress.epoch_loop_state, "dataloader_state_dict");
  return is_mapping(tree, older) || is_sequence(tree, older);
}

void find_mid_epoch(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto level = resuming_level(context.profile, rule.level);
  const NodeId progress = context.training().progress.batch_progress;
  const auto ready = number_of(tree, member(tree, member(tree, progress, "current"), "ready")).value_or(0.0);
  const NodeId last = member(tree, progress, "is_last_batch");
  const bool mid_epoch = ready > 0 && is_kind(tree, last, Kind::kBool) && !tree.boolean(last);
  if (!level || !mid_epoch || is_weights_only(context.items()) ||
      has_loader_state(tree, context.training().progress))
    return;
  Hit hit = text_hit(
      key_path(keys::kFitLoopPath, keys::kBatchProgress), "mid-epoch",
      fmt::format(
          "saved in mid-epoch, at batch {:.0f}, without the loader's state: resuming skips or repeats data",
          ready),
      report::PlaceKind::kObject);
  hit.level = *level;
  hit.properties = {{"batch", ready}};
  emit(std::move(hit));
}

// --- untrained --------------------------------------------------------------------------------------------

// For inference it is the wrong file; for training it is where training starts, or what a tuner left.
void find_untrained(const Context& context, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto& items = context.items();
  if (context.training().progress.global_step != 0.0) return;
  // A module without optimizers, or one that steps them past Lightning, never counts a step.
  if (is_sequence(tree, items.optimizer_states) && sequence(tree, items.optimizer_states).empty()) return;
  const NodeId batches = member(tree, context.training().progress.batch_progress, "total");
  if (number_of(tree, member(tree, batches, "ready")).value_or(0.0) > 0) return;
  Hit hit = text_hit(keys::kGlobalStep, "untrained",
                     "0: saved before the first step, the weights are what training started with");
  if (context.profile != Profile::kInference) hit.level = report::Level::kNote;
  emit(std::move(hit));
}

// --- several optimizers -----------------------------------------------------------------------------------

void find_several(const Context& context, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto count = sequence(tree, context.items().optimizer_states).size();
  const auto step = context.training().progress.global_step;
  if (count < 2 || !step || *step == 0 || !since_1_6(context)) return;
  const NodeId progress = member(tree, context.training().progress.batch_progress, "total");
  const auto batches = number_of(tree, member(tree, progress, "processed"));
  Hit hit =
      text_hit(keys::kGlobalStep, "several-optimizers",
               fmt::format("{:.0f} counts the steps of all {} optimizers{}", *step, count,
                           batches ? fmt::format(": {:.0f} batches were trained", *batches) : std::string()));
  hit.properties = {{"globalStep", *step}, {"optimizers", std::uint64_t{count}}};
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  if (context.items().kind != training::FileKind::kTrainer) return;
  const std::string& find = rule.string("find");
  if (find == keys::kEpoch)
    find_epoch(context, emit);
  else if (find == "order")
    find_disorder(context, emit);
  else if (find == "mid-epoch")
    find_mid_epoch(context, rule, emit);
  else if (find == "untrained")
    find_untrained(context, emit);
  else
    find_several(context, emit);
}

}  // namespace

const Check kLoopProgress{
    .name = "loop-progress",
    .help = "progress of the loops that contradicts itself, or says something worth knowing",
    .needs = kNothing,
    .params = kParams,
    .fields = kFields,
    .run = run};

}  // namespace ckpt::lint
