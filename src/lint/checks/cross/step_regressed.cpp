// Training progress that is behind the base.
#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {{"regressed", "key now base"}};

std::string show_progress(const Opened& opened, std::string_view key, NodeId node) {
  const auto text = show(opened.file->tree, node);
  return key == keys::kEpoch && opened.training.progress.counts_batches
             ? text + " (the next epoch, as Lightning before 1.6 counts)"
             : text;
}

void compare(const Context& context, std::string_view key, NodeId node, NodeId base_node, const Emit& emit) {
  Hit hit = make_hit(key_path("", key), "regressed");
  hit.base_path = hit.path;
  hit.fields = {{"key", std::string(key)},
                {"now", show_progress(context.input, key, node)},
                {"base", show_progress(*context.base, key, base_node)}};
  emit(std::move(hit));
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const auto& base = *context.base;
  const auto epoch = context.training().progress.current_epoch(),
             base_epoch = base.training.progress.current_epoch();
  if (epoch && base_epoch && *epoch < *base_epoch)
    compare(context, keys::kEpoch, context.items().epoch, base.items.epoch, emit);
  // Batches before 1.6, steps of all optimizers since: not the same unit across that line.
  const auto steps = comparable_steps(context);
  if (steps && steps->now < steps->base)
    compare(context, keys::kGlobalStep, context.items().global_step, base.items.global_step, emit);
}

}  // namespace

const Check kStepRegressed{.name = "step-regressed",
                           .help = "epoch or global_step lower than in the base",
                           .needs = kBase,
                           .params = {},
                           .run = run,
                           .kinds = kKinds};

}  // namespace ckpt::lint
