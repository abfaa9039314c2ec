#include "lint/checks/progress/step_count.h"

#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {{"step-mismatch", "steps counted where"}};

struct Counter {
  std::string path;  // of the progress whose total this is
  double completed = 0, ready = 0;
};

// 1.6-1.9: epoch_loop.batch_loop.{optimizer_loop.optim_progress,manual_loop.optim_step_progress};
// since 2.0: epoch_loop.{automatic_optimization.optim_progress,manual_optimization.optim_step_progress}
// (utilities/migration/migration.py names all of them).
std::optional<Counter> counter(const Tree& tree, NodeId fit_loop, std::string_view suffix) {
  for (const auto& item : mapping_items(tree, fit_loop)) {
    const auto key = string_of(tree, item.key);
    if (!key || !key->starts_with("epoch_loop.") || !key->ends_with(suffix)) continue;
    NodeId progress = item.value;
    std::string path = key_path(keys::kFitLoopPath, *key);
    if (suffix == ".optim_progress") {
      progress = member(tree, member(tree, progress, "optimizer"), "step");
      path += ".optimizer.step";
    }
    const NodeId total = member(tree, progress, "total");
    const auto completed = number_of(tree, member(tree, total, "completed"));
    const auto ready = number_of(tree, member(tree, total, "ready"));
    if (completed) return Counter{std::move(path), *completed, ready.value_or(*completed)};
  }
  return std::nullopt;
}

// Manual optimization leaves the automatic counter at 0, and vice versa: a 0 in the unused one means nothing.
// Both count in a migrated file from before 1.6, or where a module switched from one to the other:
// Trainer.global_step is then the count of the one in use (loops/training_epoch_loop.py).
bool is_explained_by(double steps, double automatic, double manual) {
  if (steps == 0) return automatic == 0 && manual == 0;
  return steps == automatic || steps == manual || steps == automatic + manual;
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const auto mismatch = step_mismatch_of(context);
  if (!mismatch) return;
  Hit hit = make_hit(keys::kGlobalStep, "step-mismatch");
  hit.fields = {{"steps", show(context.file().tree, context.items().global_step)},
                {"counted", std::to_string(static_cast<std::int64_t>(mismatch->counted))},
                {"where", mismatch->progress + ".total.completed"}};
  hit.properties = {{"globalStep", mismatch->steps}, {"optimizerSteps", mismatch->counted}};
  emit(std::move(hit));
}

}  // namespace

std::optional<StepMismatch> step_mismatch_of(const Context& context) {
  const auto& items = context.items();
  const Tree& tree = context.file().tree;
  // Before 1.6 global_step counted batches, and fault-tolerant loops had another meaning.
  if (items.kind != training::FileKind::kTrainer || !items.version || !items.version->at_least(1, 6))
    return std::nullopt;
  const auto steps = number_of(tree, items.global_step);
  const NodeId fit_loop = context.training().progress.fit_loop;
  const auto automatic = counter(tree, fit_loop, ".optim_progress");
  const auto manual = counter(tree, fit_loop, ".optim_step_progress");
  if (!steps || (!automatic && !manual)) return std::nullopt;
  if (is_explained_by(*steps, automatic ? automatic->completed : 0, manual ? manual->completed : 0))
    return std::nullopt;
  const bool by_hand = manual && manual->completed != 0 && (!automatic || automatic->completed == 0);
  if (!by_hand && !automatic) return std::nullopt;  // no counter to compare with: loops-missing reports it
  const Counter& used = by_hand ? *manual : *automatic;
  return StepMismatch{*steps, used.completed, used.path};
}

bool has_migrated_loops(const Tree& tree, NodeId fit_loop) {
  const auto automatic = counter(tree, fit_loop, ".optim_progress");
  const auto manual = counter(tree, fit_loop, ".optim_step_progress");
  if (!automatic || !manual) return false;
  const double ahead = automatic->completed - automatic->ready;
  return ahead > 0 && ahead == manual->completed - manual->ready;
}

const Check kStepCount{.name = "step-count",
                       .help = "global_step that differs from the number of optimizer steps in the loops",
                       .needs = kNothing,
                       .params = {},
                       .run = run,
                       .kinds = kKinds};

}  // namespace ckpt::lint
