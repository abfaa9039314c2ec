// Which part of the tree is which of Lightning's eleven items (its own list in
// docs/source-pytorch/common/checkpointing_basic.rst), for Lightning 1.0 to 2.6. A plain state_dict file,
// a {"state_dict": ...} file and a Fabric file are recognised as such.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "training/version.h"

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

// Node ids of what is there; kNoNode for what is not. Types are not checked here: a `loops` that is a string
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

}  // namespace ckpt::training
