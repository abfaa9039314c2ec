// Training progress that is behind the base.
#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {{"regressed", "key now base"}};

std::string show_progress(const Opened& opened, std::string_view path, NodeId node) {
  const auto text = show(opened.file->tree, node);
  return path == keys::kEpoch && opened.training.progress.counts_batches
             ? text + " (the next epoch, as Lightning before 1.6 counts)"
             : text;
}

void compare(const Context& context, const std::string& path, NodeId node, NodeId base_node,
             const Emit& emit) {
  Hit hit = make_hit(path, "regressed");
  hit.base_path = hit.path;
  hit.fields = {{"key", path},
                {"now", show_progress(context.input, path, node)},
                {"base", show_progress(*context.base, path, base_node)}};
  emit(std::move(hit));
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const auto& base = *context.base;
  const auto epoch = context.training().progress.current_epoch(),
             base_epoch = base.training.progress.current_epoch();
  const training::Items& items = context.items();
  if (epoch && base_epoch && *epoch < *base_epoch && items.epoch_path == base.items.epoch_path)
    compare(context, items.epoch_path, items.epoch, base.items.epoch, emit);
  // Batches before 1.6, steps of all optimizers since: not the same unit across that line.
  const auto steps = comparable_steps(context);
  if (steps && steps->now < steps->base)
    compare(context, items.global_step_path, items.global_step, base.items.global_step, emit);
}

}  // namespace

const Check kStepRegressed{.name = "step-regressed",
                           .help = "epoch or global_step lower than in the base",
                           .needs = kBase,
                           .params = {},
                           .run = run,
                           .kinds = kKinds};

}  // namespace ckpt::lint
