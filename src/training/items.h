// Which part of the tree is which of Lightning's eleven items (its own list in
// docs/source-pytorch/common/checkpointing_basic.rst), for Lightning 1.0 to 2.6. A plain state_dict file,
// a {"state_dict": ...} file and a Fabric file are recognised as such.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace ckpt::training {

using value::kNoNode;
using value::NodeId;

enum class FileKind : std::uint8_t {
  kTrainer,    // written by Trainer.save_checkpoint (or made to look so: a version key or loops)
  kWeights,    // a dict with a state_dict but nothing of the Trainer: plain PyTorch, or Fabric
  kStateDict,  // the root itself is a state_dict: names -> tensors
  kOther,      // tensors in some other structure, or none
};
std::string_view describe(FileKind kind);  // "Lightning checkpoint", "plain state_dict", ...

// Sections, most important first; every path of a checkpoint belongs to exactly one.
enum class Section : std::uint8_t {
  kMeta,     // version, hparams_name ...
  kWeights,  // state_dict, or the root of a plain file
  kOptimizers,
  kSchedulers,
  kLoops,  // epoch, global_step, loops
  kCallbacks,
  kPrecision,  // scaler state
  kHyperParameters,
  kDataModuleHyperParameters,
  kDataModule,
  kAveraging,  // current_model_state, averaging_state
  kOther,
};
std::string_view title(Section section);

struct Version {
  int major = 0, minor = 0, patch = 0;
  std::string text;
  bool before_release = false;  // 2.0.0rc1: of the layout of 2.0.0, but migrated as what is before it
  auto operator<=>(const Version& o) const = default;
  bool at_least(int a, int b, int c = 0) const;  // by the three numbers
};
// In every spelling that Python accepts (base/pep440.h); of other text the numbers that it begins with
// ("2.x"). An epoch other than 0 is after all versions: its numbers are the largest.
std::optional<Version> parse_version(std::string_view text);

// Node ids of the items; kNoNode for those missing. Types are not checked here: a `loops` that is a string
// is still `loops`.
struct Items {
  FileKind kind = FileKind::kOther;
  NodeId root = kNoNode;
  NodeId version_node = kNoNode;
  std::optional<Version> version;
  NodeId epoch = kNoNode, global_step = kNoNode;
  NodeId state_dict = kNoNode;  // also of plain files: the dict of names -> tensors
  std::string state_dict_path;  // "state_dict", "" (the root), or where it was found
  NodeId optimizer_states = kNoNode;
  NodeId lr_schedulers = kNoNode;
  NodeId loops = kNoNode;
  NodeId callbacks = kNoNode;
  NodeId precision = kNoNode;
  std::string precision_key;  // "MixedPrecision", "native_amp_scaling_state", ...
  NodeId hyper_parameters = kNoNode;
  NodeId datamodule_hyper_parameters = kNoNode;
  NodeId datamodule = kNoNode;
  std::string datamodule_key;
  NodeId current_model_state = kNoNode, averaging_state = kNoNode;
};

Items find_items(const Checkpoint& checkpoint);

// The key of a callback's state as Lightning 1.9 and later spell it: 1.5 to 1.8 had 'save_on_train_epoch_end'
// in that of ModelCheckpoint (utilities/migration/migration.py,
// _migrate_model_checkpoint_save_on_train_epoch_end_default).
std::string current_callback_key(std::string_view key);

// The section of a path, by its first component.
Section section_of(const Items& items, std::string_view path);

// The name of a weight as torch users know it ("encoder.0.weight"), or nullopt if `path` is not an entry of
// the state_dict.
std::optional<std::string> weight_name(const Items& items, std::string_view path);

}  // namespace ckpt::training
