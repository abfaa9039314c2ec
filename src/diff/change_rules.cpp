#include "diff/to_report.h"

namespace ckpt::diff {

using report::Level;

std::vector<report::RuleInfo> change_rules() {
  const auto rule = [](std::string id, Level level, std::string title, std::string message, std::string why, std::string fix) {
    report::RuleInfo info;
    info.id = std::move(id);
    info.level = level;
    info.title = std::move(title);
    info.message = std::move(message);
    info.what = info.title;
    info.why = std::move(why);
    info.fix = std::move(fix);
    info.tags = {"checkpoint", "diff"};
    return info;
  };
  return {
      rule("key-removed", Level::kWarning, "A key of the base checkpoint is gone.", "only in the base: {old}",
           "load_state_dict(strict=True) fails on a missing weight; a missing part of the training state is silently not "
           "restored.",
           "Check that the model and the callbacks are those of the base; load with strict=False only if the part is meant "
           "to be new."),
      rule("key-added", Level::kNote, "A key is not in the base checkpoint.", "not in the base: {new}",
           "load_state_dict(strict=True) fails on an unexpected weight.",
           "Check that the model is meant to have grown."),
      rule("type-changed", Level::kWarning, "Something of another type stands at this path.", "{old} -> {new}",
           "Code that reads the checkpoint expects one type.", "Find the change in the code that saves this value."),
      rule("shape-changed", Level::kWarning, "A tensor has another shape.", "shape {old} -> {new}",
           "load_state_dict raises a size mismatch, with strict=False too.",
           "Give the model the sizes of the checkpoint, or leave this tensor out when loading."),
      rule("dtype-changed", Level::kNote, "A tensor has another dtype.", "dtype {old} -> {new}",
           "load_state_dict casts silently to the dtype of the model, which can lose precision.",
           "Save with the precision that the next run expects."),
      rule("values-changed", Level::kNote, "Elements of a tensor differ.",
           "{differing} of {numel} elements differ, max |delta| {max_abs}, relative L2 {rel_l2}",
           "Training changes weights; frozen or released weights must not change.",
           "If this tensor was meant to be frozen, check requires_grad and the optimizer's groups."),
      rule("value-changed", Level::kNote, "A plain value differs.", "{old} -> {new}",
           "A changed hyperparameter, learning rate or counter changes what the next run does.",
           "Check that the change is meant."),
  };
}

}  // namespace ckpt::diff
