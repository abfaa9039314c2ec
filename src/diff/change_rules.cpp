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
    {"key-removed", Level::kWarning, "A key of the base checkpoint is gone.", "only in the base: {old}",
     "load_state_dict(strict=True) fails on a missing weight; a missing part of the training state is "
     "silently not restored.",
     "Check that the model and the callbacks are those of the base; load with strict=False only if the part "
     "is meant to be new."},
    {"key-added", Level::kNote, "A key is not in the base checkpoint.", "not in the base: {new}",
     "load_state_dict(strict=True) fails on an unexpected weight.",
     "Check that the model is meant to have grown."},
    {"key-renamed", Level::kWarning, "The same thing has another name.", "called {old} in the base",
     "load_state_dict(strict=True) fails, and strict=False silently leaves the weight as the model made it. "
     "A callback, a "
     "precision plugin or a datamodule with another key is not restored.",
     "Rename on loading, or unwrap the model before saving (torch.compile: model._orig_mod; DataParallel: "
     "model.module)."},
    {"type-changed", Level::kWarning, "Something of another type stands at this path.", "{old} -> {new}",
     "Code that reads the checkpoint expects one type.",
     "Find the change in the code that saves this value."},
    {"shape-changed", Level::kWarning, "A tensor has another shape.", "shape {old} -> {new}",
     "load_state_dict raises a size mismatch, with strict=False too.",
     "Give the model the sizes of the checkpoint, or leave this tensor out when loading."},
    {"dtype-changed", Level::kNote, "A tensor has another dtype.", "dtype {old} -> {new}",
     "load_state_dict casts silently to the dtype of the model, which can lose precision.",
     "Save with the precision that the next run expects."},
    {"device-changed", Level::kNote, "A tensor was saved from another device.", "device {old} -> {new}",
     "torch.load puts it back there, and fails where that device does not exist.",
     "Load with map_location=\"cpu\"."},
    {"sharing-changed", Level::kWarning, "Weights that were one tensor are several, or the reverse.",
     "{old} -> {new}",
     "Tied weights that were saved apart drift apart when they are trained on, and take their space twice.",
     "Tie them again after loading (embedding.weight = head.weight) and compare their values."},
    {"values-changed", Level::kNote, "Elements of a tensor differ.",
     "{differing} of {numel} elements differ, max |delta| {max_abs}, relative L2 {rel_l2}",
     "Training changes weights; frozen or released weights must not change.",
     "If this tensor was meant to be frozen, check requires_grad and the optimizer's groups."},
    {"value-changed", Level::kNote, "A plain value differs.", "{old} -> {new}",
     "A changed hyperparameter, learning rate or counter changes what the next run does.",
     "Check that the change is meant."},
    {"import-added", Level::kWarning, "Loading the file imports something that the base does not.",
     "not in the base: {new}",
     "torch.load resolves every name that a pickle asks for; a new one is new code that runs, or a file that "
     "weights_only "
     "refuses.",
     "Look at it with ckpt-show; ckpt-lint says whether it is dangerous."},
    {"import-removed", Level::kNote, "Loading the file no longer imports something.",
     "only in the base: {old}", "What was saved as an object of that class is now something else, or gone.",
     "Check that the change is meant."},
};

// What Trainer.fit, load_state_dict(strict=True) and load_state_dict(strict=False) make of the file, and what
// they do not notice. Every message names the call.
constexpr Text kCompat[] = {
    {"compat-nonfinite", Level::kError, "A weight has NaN or infinities that the base does not have.",
     "{message}", "They load without an error and spread through every later step.",
     "Go back to a checkpoint before they appeared."},
    {"compat-dtype", Level::kError, "A weight became another kind of number.", "{message}",
     "load_state_dict converts silently: integers lose fractions, complex numbers lose their imaginary "
     "parts.",
     "Save the weight in the dtype that the model has."},
    {"compat-unreadable", Level::kError, "Elements of a weight cannot be read.", "{message}",
     "What is not there cannot be loaded; torch raises or returns garbage.",
     "Copy or save the checkpoint again."},
    {"compat-shape", Level::kError, "A weight has another shape than the base's.", "{message}",
     "load_state_dict raises a size mismatch, with strict=False too.",
     "Give the model the new sizes, or leave the weight out."},
    {"compat-type", Level::kError, "What was a weight is something else.", "{message}",
     "load_state_dict raises.", "Find the change in the code that saves the state_dict."},
    {"compat-nothing-loaded", Level::kError, "No weight has a name of the base.", "{message}",
     "load_state_dict(strict=False) succeeds and loads nothing: the model keeps its random weights.",
     "Rename the keys: ckpt-diff shows how, with --map if need be."},
    {"compat-missing-key", Level::kError, "Weights of the base are missing.", "{message}",
     "load_state_dict(strict=True) raises.",
     "Use the model that the file was written by, or strict=False and new weights."},
    {"compat-unexpected-key", Level::kError, "There are weights that the base does not have.", "{message}",
     "load_state_dict(strict=True) raises.", "Use the model that the file was written by, or strict=False."},
    {"compat-renamed-key", Level::kError, "Weights have other names than in the base.", "{message}",
     "load_state_dict(strict=True) raises; strict=False silently skips them.",
     "Rename the keys when loading."},
    {"compat-no-training-state", Level::kError, "The file is no Trainer's checkpoint.", "{message}",
     "There is nothing to resume from.", "Resume from the Trainer's own file."},
    {"compat-version-missing", Level::kError, "The Lightning version is missing.", "{message}",
     "Lightning >= 1.9 raises KeyError.", "Save with Trainer.save_checkpoint."},
    {"compat-optimizer-missing", Level::kError, "The optimizer's state is missing.", "{message}",
     "Without the key Lightning raises; with an empty list it silently trains on with a fresh optimizer.",
     "Save with save_weights_only=False."},
    {"compat-optimizer-count", Level::kError, "There are more or fewer optimizers than in the base.",
     "{message}", "Lightning restores as many as both have, in order.",
     "Configure the optimizers of the base."},
    {"compat-optimizer-type", Level::kError, "The optimizer is another one.", "{message}",
     "load_state_dict of an optimizer takes any state; the first step fails on a missing moment or ignores "
     "it.",
     "Configure the optimizer that wrote the file, or start with a fresh one on purpose."},
    {"compat-optimizer-empty", Level::kError, "The optimizer has no state where the base has.", "{message}",
     "Training goes on with moments of zero.", "Check that optimizer.state_dict() was saved after a step."},
    {"compat-optimizer-groups", Level::kError, "The optimizer's groups have other sizes.", "{message}",
     "torch raises: the loaded state dict contains a parameter group that does not match the size of the "
     "optimizer's group.",
     "Freeze the same parameters and build the same groups as the run that wrote the file."},
    {"compat-optimizer-order", Level::kError, "The optimizer's parameters are in another order.", "{message}",
     "torch maps states to parameters by position: moments of one weight land on another. The first "
     "step raises where the shapes differ; where they fit, training goes on silently.",
     "Build the optimizer over the parameters in the order of the base."},
    {"compat-scheduler-missing", Level::kError, "A scheduler's state is missing.", "{message}",
     "Without the key Lightning raises; with a short list the learning rate starts anew.",
     "Save the whole training state."},
    {"compat-scheduler-unexpected", Level::kError, "There are more schedulers than in the base.", "{message}",
     "Lightning ignores the state; the optimizer's groups keep the learning rate that the scheduler set "
     "last.",
     "Configure the schedulers that wrote the file, or set the learning rate on purpose."},
    {"compat-scheduler-type", Level::kError, "The scheduler is another one.", "{message}",
     "LambdaLR, SequentialLR, ChainedScheduler and CyclicLR raise KeyError. The others take any fields, "
     "silently: "
     "the learning rate follows neither run.",
     "Configure the scheduler that wrote the file."},
    {"compat-loops-missing", Level::kError, "The loops' state is missing.", "{message}",
     "Training restarts at epoch 0 with the old optimizer.", "Save with Trainer.save_checkpoint."},
    {"compat-scaler-missing", Level::kError, "The gradient scaler's state is missing.", "{message}",
     "16-bit training starts with a scale of 65536 and skips steps until it fits.",
     "Resume with the precision that wrote the file."},
    {"compat-precision-key", Level::kError, "The gradient scaler's state has another key.", "{message}",
     "Lightning has no migration for it and looks up its own plugin's name only.",
     "Rename the key in the checkpoint."},
    {"compat-callback-key", Level::kError, "A callback's key differs from the base's.", "{message}",
     "The key spells the callback's arguments; with other arguments the state is not found, and Lightning "
     "only warns.",
     "Give the callback the arguments that it had."},
    {"compat-callback-missing", Level::kError, "A callback of the base has no state in the file.",
     "{message}", "It starts afresh: best scores and counters are lost.",
     "Train with the callbacks of the base."},
    {"compat-averaged", Level::kError, "The file's weights are an average, those of the base are not.",
     "{message}",
     "The optimizer's moments belong to the live weights, which code without weight averaging does not load.",
     "Train with the callback that averaged the weights, or copy current_model_state over state_dict."},
    {"compat-datamodule-missing", Level::kError, "The datamodule of the base has no state in the file.",
     "{message}", "It starts afresh: its position in the data is lost.", "Train with the base's datamodule."},
    {"compat-datamodule-key", Level::kError, "The datamodule's key differs from the base's.", "{message}",
     "The key is the class's name; under another one the state is ignored.",
     "Keep the class's name, or rename the key."},
};

RuleInfo info_of(const Text& text, bool compat) {
  RuleInfo info;
  info.id = text.id;
  info.level = text.level;
  info.title = text.title;
  info.message = text.message;
  info.what = text.title;
  info.why = text.why;
  info.fix = text.fix;
  info.tags = {"checkpoint", compat ? "compatibility" : "diff"};
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
