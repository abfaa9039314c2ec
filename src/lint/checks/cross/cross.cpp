#include "lint/checks/cross/cross.h"

#include "lint/checks/common.h"
#include "lint/checks/weights/sharing.h"

namespace ckpt::lint {

bool has_base(const Context& context) {
  return context.input.file && context.base != nullptr && context.base->file;
}

std::optional<Steps> comparable_steps(const Context& context) {
  const auto now = context.training().progress.global_step;
  const auto base = context.base->training.progress.global_step;
  if (!now || !base ||
      context.training().progress.counts_batches != context.base->training.progress.counts_batches)
    return std::nullopt;
  return Steps{*now, *base};
}

std::vector<WeightPair> weight_pairs(const Context& context) {
  std::vector<WeightPair> pairs;
  const auto base = weights_by_name(*context.base->file, context.base->items);
  for (const auto& [name, entry] : weights_by_name(context.file(), context.items()))
    if (const auto old = base.find(name); old != base.end()) pairs.push_back({name, entry, old->second});
  return pairs;
}

std::optional<bool> is_unchanged(const Context& context, const WeightPair& pair) {
  const Checkpoint& base = *context.base->file;
  const auto& now = context.file().record_of(context.file().entries[pair.now]);
  const auto& old = base.record_of(base.entries[pair.base]);
  const auto* now_storage = readable_storage(context.file(), now);
  const auto* old_storage = readable_storage(base, old);
  if (now_storage == nullptr || old_storage == nullptr) return std::nullopt;
  return tensor::same_elements(old.view, *old_storage, now.view, *now_storage);
}

}  // namespace ckpt::lint
