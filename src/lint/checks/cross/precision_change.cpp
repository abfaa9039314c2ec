// The state of a gradient scaler that resuming does not find, or that the base lacks: another precision.
#include <array>

#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {
    {"scaler-missing", "message"},
    {"precision-key", "message base"},
    {"added", "scale"},
};

// A file without training state says nothing about precision.
bool is_judged(const Opened& opened) {
  return opened.items.kind == training::FileKind::kTrainer && has_optimizers(opened.items);
}

void run(const Context& context, const Rule&, const Emit& emit) {
  static const std::array<std::string, 2> kCompat = {"compat-scaler-missing", "compat-precision-key"};
  emit_incompatibilities(context, kCompat, emit);
  if (!is_judged(context.input) || !is_judged(*context.base)) return;
  if (context.items().precision == kNoNode || context.base->items.precision != kNoNode) return;
  Hit hit = make_hit(key_path("", context.items().precision_key), "added", report::PlaceKind::kProperty);
  const Tree& tree = context.file().tree;
  hit.fields = {{"scale", show(tree, member(tree, context.items().precision, keys::kScale))}};
  emit(std::move(hit));
}

}  // namespace

const Check kPrecisionChange{.name = "precision-change",
                             .help = "a gradient scaler that came or went since the base",
                             .needs = kDiff,
                             .params = {},
                             .run = run,
                             .kinds = kKinds};

}  // namespace ckpt::lint
