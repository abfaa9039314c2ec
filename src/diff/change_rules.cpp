#include "diff/to_report.h"

namespace ckpt::diff {
namespace {

using report::Level;
using report::RuleInfo;

struct Text {
  std::string_view id;
  Level level;
  std::string_view title;
  std::string_view message;
  std::string_view why;
  std::string_view fix;
};

constexpr Text kChanges[] = {
    {"key-removed", Level::kWarning, "A key of the base is missing.", "only in the base: {old}",
     "load_state_dict(strict=True) fails on a missing weight. Other missing training state is often just not "
     "restored, silently.",
     "Check that the model and its callbacks match the base. Load with strict=False only if you want to "
     "initialize the missing part from scratch."},
    {"key-added", Level::kNote, "A key is not in the base.", "not in the base: {new}",
     "load_state_dict(strict=True) fails on an unexpected weight.",
     "Check that the model was meant to grow."},
    {"key-renamed", Level::kWarning, "A key was renamed.", "called {old} in the base",
     "load_state_dict(strict=True) fails, and strict=False silently leaves the weight at its initial value. "
     "Callbacks, precision plugins and datamodules are not restored from a renamed key.",
     "Rename the key before loading, or unwrap the model before saving (torch.compile: model._orig_mod; "
     "DataParallel: model.module)."},
    {"type-changed", Level::kWarning, "A value changed its type.", "{old} -> {new}",
     "Code that reads the checkpoint usually expects one type.",
     "Look for a change in the code that saves this value."},
    {"shape-changed", Level::kWarning, "A tensor changed its shape.", "shape {old} -> {new}",
     "load_state_dict raises a size mismatch, even with strict=False.",
     "Build the model with the checkpoint's sizes, or drop this tensor before loading."},
    {"dtype-changed", Level::kNote, "A tensor changed its dtype.", "dtype {old} -> {new}",
     "load_state_dict silently casts to the model's dtype, which can lose precision.",
     "Save with the precision that the next run expects."},
    {"device-changed", Level::kNote, "A tensor was saved from a different device.", "device {old} -> {new}",
     "torch.load puts the tensor back on that device, and fails if the device does not exist.",
     "Load with map_location=\"cpu\"."},
    {"sharing-changed", Level::kWarning, "Weights were tied or untied.", "{old} -> {new}",
     "Tied weights that are saved as separate tensors take twice the space, and drift apart in training.",
     "Tie them again after loading (embedding.weight = head.weight), and check that their values match."},
    {"values-changed", Level::kNote, "A tensor's elements changed.",
     "{differing} of {numel} elements differ, max |delta| {max_abs}, relative L2 {rel_l2}",
     "Training changes weights, but frozen or released weights must stay the same.",
     "If this tensor was meant to be frozen, check requires_grad and the optimizer's parameter groups."},
    {"value-changed", Level::kNote, "A plain value changed.", "{old} -> {new}",
     "A different hyperparameter, learning rate or counter changes what the next run does.",
     "Check that the change is intended."},
    {"import-added", Level::kWarning, "Loading the file imports a name that the base does not import.",
     "not in the base: {new}",
     "torch.load imports every name in a pickle. A new name can run new code, or make weights_only=True "
     "refuse "
     "the file.",
     "Look at the imports in ckpt-show, and run ckpt-lint to see whether they are dangerous."},
    {"import-removed", Level::kNote, "Loading the file no longer imports a name.", "only in the base: {old}",
     "An object of that class is no longer in the file, or is saved as something else.",
     "Check that the change is intended."},
};

// What Trainer.fit, load_state_dict(strict=True) and load_state_dict(strict=False) do with the file, and what
// they fail to notice. Every message names the call.
constexpr Text kCompat[] = {
    {"compat-nonfinite", Level::kError, "A weight has NaN or infinity that the base does not have.",
     "{message}", "They load without an error and spread in every later step.",
     "Go back to a checkpoint from before they appeared."},
    {"compat-dtype", Level::kError, "A weight changed to another kind of number.", "{message}",
     "load_state_dict converts silently: integers lose their fractions, complex numbers their imaginary "
     "parts.",
     "Save the weight in the model's dtype."},
    {"compat-unreadable", Level::kError, "A weight's elements cannot be read.", "{message}",
     "torch raises, or loads garbage.", "Copy or save the checkpoint again."},
    {"compat-shape", Level::kError, "A weight's shape differs from the base.", "{message}",
     "load_state_dict raises a size mismatch, even with strict=False.",
     "Build the model with the new sizes, or drop the weight before loading."},
    {"compat-type", Level::kError, "A weight of the base is no longer a tensor.", "{message}",
     "load_state_dict raises.", "Look for a change in the code that saves the state_dict."},
    {"compat-nothing-loaded", Level::kError, "No weight has a name that the base uses.", "{message}",
     "load_state_dict(strict=False) succeeds but loads nothing: the model keeps its random weights.",
     "Rename the keys. ckpt-diff shows how, if need be with --map."},
    {"compat-missing-key", Level::kError, "Weights of the base are missing.", "{message}",
     "load_state_dict(strict=True) raises.",
     "Use the model that wrote the file, or load with strict=False and initialize the missing weights."},
    {"compat-unexpected-key", Level::kError, "The file has weights that the base does not have.", "{message}",
     "load_state_dict(strict=True) raises.", "Use the model that wrote the file, or load with strict=False."},
    {"compat-renamed-key", Level::kError, "Weights were renamed.", "{message}",
     "load_state_dict(strict=True) raises; strict=False silently skips them.",
     "Rename the keys before loading."},
    {"compat-no-training-state", Level::kError, "The file is not a Trainer checkpoint.", "{message}",
     "There is nothing to resume from.", "Resume from a checkpoint that the Trainer wrote."},
    {"compat-version-missing", Level::kError, "The Lightning version is missing.", "{message}",
     "Lightning >= 1.9 raises KeyError.", "Save with Trainer.save_checkpoint."},
    {"compat-optimizer-missing", Level::kError, "The optimizer's state is missing.", "{message}",
     "If the key is missing, Lightning raises; if the list is empty, it silently resumes with a fresh "
     "optimizer.",
     "Save with save_weights_only=False."},
    {"compat-optimizer-count", Level::kError, "The file has more or fewer optimizers than the base.",
     "{message}", "Lightning restores only as many as both have, in order, and says nothing about the rest.",
     "Configure the same optimizers as the base."},
    {"compat-optimizer-type", Level::kError, "The optimizer has a different type.", "{message}",
     "An optimizer's load_state_dict accepts any state. The first step then fails on a missing moment, or "
     "ignores it.",
     "Configure the optimizer that wrote the file, or start with a fresh one on purpose."},
    {"compat-optimizer-empty", Level::kError, "The optimizer's state is empty, but not in the base.",
     "{message}", "Training continues with moments of zero.",
     "Save optimizer.state_dict() after at least one step."},
    {"compat-optimizer-groups", Level::kError, "The optimizer's parameter groups have different sizes.",
     "{message}",
     "torch raises: the loaded state dict contains a parameter group that does not match the size of the "
     "optimizer's group.",
     "Freeze the same parameters and build the same groups as the run that wrote the file."},
    {"compat-optimizer-order", Level::kError, "The optimizer's parameters are in a different order.",
     "{message}",
     "torch maps state to parameters by position, so one weight gets the moments of another. If the shapes "
     "differ, the first step raises; if they match, training continues silently.",
     "Pass the parameters to the optimizer in the same order as the base."},
    {"compat-scheduler-missing", Level::kError, "A scheduler's state is missing.", "{message}",
     "If the key is missing, Lightning raises; if the list is too short, the schedule silently starts over.",
     "Save with save_weights_only=False."},
    {"compat-scheduler-unexpected", Level::kError, "The file has more schedulers than the base.", "{message}",
     "Lightning ignores the state; the optimizer's groups keep the learning rate that the scheduler set "
     "last.",
     "Configure the schedulers that wrote the file, or set the learning rate on purpose."},
    {"compat-scheduler-type", Level::kError, "The scheduler has a different type.", "{message}",
     "LambdaLR, SequentialLR, ChainedScheduler and CyclicLR raise KeyError. The others silently accept "
     "any fields, and the learning rate follows neither schedule.",
     "Configure the scheduler that wrote the file."},
    {"compat-loops-missing", Level::kError, "The loops' state is missing.", "{message}",
     "Training restarts at epoch 0, with the old optimizer state.", "Save with Trainer.save_checkpoint."},
    {"compat-scaler-missing", Level::kError, "The gradient scaler's state is missing.", "{message}",
     "16-bit training restarts with a scale of 65536 and skips steps until the scale is small enough.",
     "Resume with the precision that the file was saved with."},
    {"compat-precision-key", Level::kError, "The gradient scaler's state has a different key.", "{message}",
     "Lightning looks only for the name of its own plugin, and does not migrate this key.",
     "Rename the key in the checkpoint."},
    {"compat-callback-key", Level::kError, "A callback's key differs from the base.", "{message}",
     "The key includes the callback's arguments. If they differ, Lightning does not find the state and only "
     "warns.",
     "Create the callback with the same arguments."},
    {"compat-callback-missing", Level::kError, "A callback of the base has no state in the file.",
     "{message}", "It starts over: best scores and counters are lost.",
     "Train with the same callbacks as the base."},
    {"compat-averaged", Level::kError, "The file's weights are an average, unlike the base's.", "{message}",
     "The optimizer's moments belong to the live weights, which code without weight averaging does not load.",
     "Train with the callback that averaged the weights, or copy current_model_state over state_dict."},
    {"compat-averaging-missing", Level::kError, "The state of the averaged weights is missing.", "{message}",
     "Lightning warns, loads the average as the live weights, and averages from there.",
     "Train with the averaging callback that wrote the base."},
    {"compat-averaging-shape", Level::kError, "The averaged or the live weights do not fit the base.",
     "{message}", "Both are loaded with strict=True, as the model's own weights are.",
     "Save with the callback that averages: current_model_state has the names and shapes of state_dict."},
    {"compat-state-nonfinite", Level::kError,
     "Training state has NaN or infinity that the base does not have.", "{message}",
     "Moments, learning rates and averages load without an error. The weights become NaN in the next step.",
     "Go back to a checkpoint from before they appeared, or start with a fresh optimizer."},
    {"compat-state-incomplete", Level::kError, "A field of the optimizer's or the scaler's state is missing.",
     "{message}", "load_state_dict does not look at the fields, so the first step raises.",
     "Go back to a checkpoint that has it, or start with a fresh optimizer."},
    {"compat-datamodule-missing", Level::kError, "The datamodule of the base has no state in the file.",
     "{message}", "It starts over: its position in the data is lost.", "Train with the base's datamodule."},
    {"compat-datamodule-key", Level::kError, "The datamodule's key differs from the base.", "{message}",
     "The key is the class name. Under another name, the state is ignored.",
     "Keep the class name, or rename the key."},
};

// Requires: `text` is one of the tables'.
RuleInfo info_of(const Text& text, bool compat) {
  RuleInfo info;
  info.id = text.id;
  info.level = text.level;
  info.title = text.title;
  info.message = text.message;
  info.make_docs = [&text, compat] {
    report::RuleDocs docs;
    docs.what = text.title;
    docs.why = text.why;
    docs.fix = text.fix;
    docs.tags = {"checkpoint", compat ? "compatibility" : "diff"};
    return docs;
  };
  return info;
}

}  // namespace

std::vector<RuleInfo> change_rules() {
  std::vector<RuleInfo> out;
  for (const Text& text : kChanges) out.push_back(info_of(text, false));
  for (const Text& text : kCompat) out.push_back(info_of(text, true));
  return out;
}

}  // namespace ckpt::diff
