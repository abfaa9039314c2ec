// The progress that the loops keep: against itself, against epoch and global_step, and where training
// stopped.
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
// clang-format off
constexpr KindSpec kKinds[] = {
    {"epoch-mismatch", "epoch completed", "find=epoch"},
    {"order", "stage count before limit", "find=order"},
    {"negative", "stage count", "find=order"},
    {"behind", "stage total current", "find=order"},
    {"batches-stepped", "stepped begun", "find=order"},
    {"mid-epoch", "batch", "find=mid-epoch"},
    {"untrained", "", "find=untrained"},
    {"untrained-inference", "", "find=untrained"},
    {"several-optimizers", "steps optimizers batches", "find=several-optimizers"},
    {"several-without-batches", "steps optimizers", "find=several-optimizers"},
};
// clang-format on

std::string whole(double count) { return fmt::format("{:.0f}", count); }

// Before 1.6 epoch, global_step and the loops had other meanings.
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
  Hit hit = make_hit(keys::kEpoch, "epoch-mismatch");
  hit.fields = {{keys::kEpoch, whole(*epoch)}, {"completed", whole(*completed)}};
  hit.properties = {{keys::kEpoch, *epoch}, {"completed", *completed}};
  emit(std::move(hit));
}

// --- order: ready >= started >= processed >= completed >= 0, total >= current (loops/progress.py) ----------

constexpr std::array<std::string_view, 4> kStages = {"ready", "started", "processed", "completed"};

// What contradicts within one progress: the kind and its fields.
struct Disorder {
  std::string_view kind;
  std::vector<Field> fields;
};

std::optional<Disorder> disorder(const Tree& tree, NodeId progress) {
  std::string_view before;
  std::optional<double> high;
  for (const auto stage : kStages) {
    const auto count = number_of(tree, member(tree, progress, stage));
    if (!count) continue;
    const Field name = {"stage", std::string(stage)}, number = {"count", whole(*count)};
    if (*count < 0) return Disorder{"negative", {name, number}};
    if (high && *count > *high)
      return Disorder{"order", {name, number, {"before", std::string(before)}, {"limit", whole(*high)}}};
    before = stage;
    high = count;
  }
  return std::nullopt;
}

// The total of validation within training starts at 0 in every epoch (training_epoch_loop.py, on_run_start),
// the current count with every validation, so current may be ahead.
bool has_running_total(std::string_view path) { return path.find("val_loop") == std::string_view::npos; }

std::optional<Disorder> behind(const Tree& tree, NodeId total, NodeId current) {
  for (const auto stage : kStages) {
    const auto all = number_of(tree, member(tree, total, stage)),
               now = number_of(tree, member(tree, current, stage));
    if (all && now && *all < *now)
      return Disorder{"behind",
                      {{"stage", std::string(stage)}, {"total", whole(*all)}, {"current", whole(*now)}}};
  }
  return std::nullopt;
}

// At most one step for each batch that was started (training_epoch_loop.py, advance). The migration of 1.6.5
// starts from global_step, which counts the steps of all optimizers.
void find_steps_beyond(const Tree& tree, const training::Progress& progress, const Emit& emit) {
  const auto stepped = number_of(tree, member(tree, progress.epoch_loop_state, keys::kBatchesThatStepped));
  const auto ready = number_of(tree, member(tree, member(tree, progress.batch_progress, "total"), "ready"));
  const double most = std::max(ready.value_or(0), progress.global_step.value_or(0));
  if (!stepped || !ready || (*stepped >= 0 && *stepped <= most)) return;
  Hit hit = make_hit(key_path(key_path(keys::kFitLoopPath, keys::kEpochLoopState), keys::kBatchesThatStepped),
                     "batches-stepped");
  hit.fields = {{"stepped", whole(*stepped)}, {"begun", whole(*ready)}};
  hit.properties = {{"stepped", *stepped}, {"batches", *ready}};
  emit(std::move(hit));
}

bool is_set_by_migration(std::string_view path) {
  for (const auto progress : {keys::kEpochProgress, "optim_progress", "optim_step_progress"})
    if (path.find(progress) != std::string_view::npos) return true;
  return false;
}

// One finding per progress: contradictions within it mostly have one cause.
void find_disorder(const Context& context, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const NodeId fit_loop = context.training().progress.fit_loop;
  const auto mismatch = step_mismatch_of(context);
  const bool migrated = has_migrated_loops(tree, fit_loop);
  std::string reported;  // the progress reported last; its parts follow it
  bool batches_reported = false;
  for (const auto& value : values_below(tree, context.items().loops, keys::kLoops)) {
    if (!value.container || !is_mapping(tree, value.id)) continue;
    if (!reported.empty() && value.path.starts_with(reported)) continue;
    // loops-step-mismatch reports a progress whose count contradicts global_step.
    if (mismatch && value.path.starts_with(mismatch->progress)) continue;
    if (migrated && is_set_by_migration(value.path)) continue;
    const NodeId total = member(tree, value.id, "total"), current = member(tree, value.id, "current");
    std::optional<Disorder> found;
    if (total != kNoNode && current != kNoNode && has_running_total(value.path))
      found = behind(tree, total, current);
    else if (member(tree, value.id, "ready") != kNoNode)
      found = disorder(tree, value.id);
    if (!found) continue;
    reported = value.path + ".";
    batches_reported = batches_reported || value.path.find(keys::kBatchProgress) != std::string::npos;
    Hit hit = make_hit(value.path, found->kind, report::PlaceKind::kObject);
    hit.fields = std::move(found->fields);
    emit(std::move(hit));
  }
  if (!batches_reported) find_steps_beyond(tree, context.training().progress, emit);
}

// --- mid-epoch --------------------------------------------------------------------------------------------

// Since 2.2 a stateful loader saves its position (fit_loop.state_dict); fault-tolerant files of 1.5 to 1.9
// have it elsewhere.
bool has_loader_state(const Tree& tree, const training::Progress& progress) {
  const NodeId loader = member(tree, member(tree, progress.fit_loop, keys::kStateDict), "combined_loader");
  if (!mapping_items(tree, loader).empty() || !sequence(tree, loader).empty()) return true;
  const NodeId older = member(tree, progress.epoch_loop_state, "dataloader_state_dict");
  return is_mapping(tree, older) || is_sequence(tree, older);
}

void find_mid_epoch(const Context& context, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const NodeId progress = context.training().progress.batch_progress;
  const auto ready = number_of(tree, member(tree, member(tree, progress, "current"), "ready")).value_or(0.0);
  const NodeId last = member(tree, progress, "is_last_batch");
  const bool mid_epoch = ready > 0 && is_kind(tree, last, Kind::kBool) && !tree.boolean(last);
  if (!mid_epoch || is_weights_only(context.items()) || has_loader_state(tree, context.training().progress))
    return;
  Hit hit =
      make_hit(key_path(keys::kFitLoopPath, keys::kBatchProgress), "mid-epoch", report::PlaceKind::kObject);
  hit.fields = {{"batch", whole(ready)}};
  hit.properties = {{"batch", ready}};
  emit(std::move(hit));
}

// --- untrained --------------------------------------------------------------------------------------------

// For inference this is the wrong file; for training it is where training starts, or what a tuner left.
void find_untrained(const Context& context, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto& items = context.items();
  if (context.training().progress.global_step != 0.0) return;
  // A module without optimizers, or one that steps them without Lightning, never counts a step.
  if (is_sequence(tree, items.optimizer_states) && sequence(tree, items.optimizer_states).empty()) return;
  const NodeId batches = member(tree, context.training().progress.batch_progress, "total");
  if (number_of(tree, member(tree, batches, "ready")).value_or(0.0) > 0) return;
  const bool shipped = context.profile == Profile::kInference;
  emit(make_hit(keys::kGlobalStep, shipped ? "untrained-inference" : "untrained"));
}

// --- several optimizers -----------------------------------------------------------------------------------

void find_several(const Context& context, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto count = sequence(tree, context.items().optimizer_states).size();
  const auto step = context.training().progress.global_step;
  if (count < 2 || !step || *step == 0 || !since_1_6(context)) return;
  const NodeId progress = member(tree, context.training().progress.batch_progress, "total");
  const auto batches = number_of(tree, member(tree, progress, "processed"));
  Hit hit = make_hit(keys::kGlobalStep, batches ? "several-optimizers" : "several-without-batches");
  hit.fields = {{"steps", whole(*step)}, {"optimizers", std::to_string(count)}};
  if (batches) hit.fields.push_back({"batches", whole(*batches)});
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
    find_mid_epoch(context, emit);
  else if (find == "untrained")
    find_untrained(context, emit);
  else
    find_several(context, emit);
}

}  // namespace

const Check kLoopProgress{
    .name = "loop-progress",
    .help = "progress of the loops that contradicts itself, or that is worth knowing before resuming",
    .needs = kNothing,
    .params = kParams,
    .run = run,
    .kinds = kKinds};

}  // namespace ckpt::lint
