#include "lint/checks/cross/cross.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "lint/checks/common.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kPrefix = "compat-";

std::map<std::string_view, std::string_view> renamed_paths(const diff::Diff& diff) {
  std::map<std::string_view, std::string_view> paths;
  for (const diff::Change& change : diff.changes)
    if (change.kind == diff::ChangeKind::kRenamed) paths.emplace(change.path, change.old_path);
  return paths;
}

}  // namespace

std::optional<Steps> comparable_steps(const Context& context) {
  const auto& now = context.training().progress;
  const auto& base = context.base->training.progress;
  if (!now.global_step || !base.global_step || now.counts_batches != base.counts_batches) return std::nullopt;
  // Other loops count whatever they like under their names.
  if (context.items().global_step_path != context.base->items.global_step_path) return std::nullopt;
  return Steps{*now.global_step, *base.global_step};
}

std::string show_slot(const diff::Side& side, const diff::Slot& slot) {
  switch (slot.kind) {
    case diff::SlotKind::kAbsent: return "absent";
    case diff::SlotKind::kTensor: {
      const TensorRecord& record = side.record(slot);
      return "a tensor (" + std::string(tensor::name(record.view.dtype)) + " " +
             format_shape(record.view.shape) + ")";
    }
    case diff::SlotKind::kLeaf: return show(side.tree(slot), side.leaf(slot).node);
  }
  return {};
}

std::string show_base(const Context& context, const diff::Change& change) {
  return show_slot(context.diff->sides[0], change.old_slot);
}

std::string show_now(const Context& context, const diff::Change& change) {
  return show_slot(context.diff->sides[1], change.new_slot);
}

Hit change_hit(const diff::Change& change, std::string_view kind, report::PlaceKind place) {
  Hit hit = make_hit(std::string(change.path), kind, place);
  if (change.kind != diff::ChangeKind::kAdded)
    hit.base_path = change.old_path.empty() ? change.path : change.old_path;
  return hit;
}

void emit_incompatibilities(const Context& context, std::span<const std::string> compat, const Emit& emit) {
  const auto renamed = renamed_paths(*context.diff);
  for (const diff::Incompatibility& found : context.compat->findings) {
    if (std::find(compat.begin(), compat.end(), found.rule) == compat.end()) continue;
    Hit hit =
        make_hit(found.path, std::string_view(found.rule).substr(kPrefix.size()), report::PlaceKind::kObject);
    if (const auto old = renamed.find(found.path); old != renamed.end()) hit.base_path = old->second;
    hit.fields = {{"message", found.message}, {"base", hit.base_path}};
    emit(std::move(hit));
  }
}

}  // namespace ckpt::lint
