// A gradient scaler that the base has and this file has not, or the reverse: another precision of training.
#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"text"};

// A file without training state says nothing about precision.
bool is_judged(const Opened& opened) {
  return opened.items.kind == training::FileKind::kTrainer && opened.items.optimizer_states != kNoNode;
}

std::string scale_of(const Opened& opened) {
  const NodeId scale = member(opened.file->tree, opened.items.precision, keys::kScale);
  return scale == kNoNode ? "" : " with scale " + show(opened.file->tree, scale);
}

// Only float16 with autocast has a scaler, under a key that changed with Lightning's versions: whether
// there is one is compared, not where.
void run(const Context& context, const Rule&, const Emit& emit) {
  if (!is_judged(context.input) || !is_judged(*context.base)) return;
  const bool now = context.items().precision != kNoNode, old = context.base->items.precision != kNoNode;
  if (now == old) return;
  const Opened& owner = now ? context.input : *context.base;
  const std::string path = key_path("", owner.items.precision_key);
  Hit hit = text_hit(path, now ? "added" : "removed",
                     "a gradient scaler" + scale_of(owner) +
                         (now ? ", none in the base" : " in the base, none in this file"),
                     report::PlaceKind::kProperty);
  if (!now) hit.base_path = path;
  emit(std::move(hit));
}

}  // namespace

const Check kPrecisionChange{.name = "precision-change",
                             .help = "a gradient scaler that came or went since the base",
                             .needs = kBase,
                             .params = {},
                             .fields = kFields,
                             .run = run};

}  // namespace ckpt::lint
