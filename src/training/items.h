// Which part of the tree is which: Lightning's eleven items (its own list in
// docs/source-pytorch/common/checkpointing_basic.rst), for Lightning 1.0 to 2.6, which have fixed keys; and
// in every other file what shows itself to be training state by its form (forms.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "training/forms.h"
#include "training/version.h"

namespace ckpt::training {

using value::kNoNode;
using value::NodeId;

enum class FileKind : std::uint8_t {
  kTrainer,   // written by Trainer.save_checkpoint (or made to look so: a version key or loops)
  kTraining,  // what other loops save to resume from: an optimizer, a scheduler or a scaler, and maybe models
  kWeights,   // state_dicts and nothing to resume from
  kStateDict,  // the root itself is a state_dict: names -> tensors
  kModule,     // the root is a pickled nn.Module
  kOptimizer,  // the root is an optimizer's state
  kScheduler,  // the root is a scheduler's state
  kOther,      // tensors in some other structure, or none
};
std::string_view describe(FileKind kind);  // "Lightning checkpoint", "plain state_dict", ...

// An entry of a state_dict as torch names it; a tensor, if the file is whole.
struct WeightKey {
  std::string_view name;
  std::string path;
  NodeId value = kNoNode;
  std::size_t prefix = 0;  // of the name: the size of StateDict::prefix

  std::string_view own_name() const { return name.substr(prefix); }
};

// Names are those of torch ("encoder.0.weight"). A file with several state_dicts distinguishes them by a
// prefix made of their place ("generator.encoder.0.weight"); the one that the file calls its model, if there
// is one, has none, and neither has the only one.
struct StateDict {
  std::string path;  // "state_dict", "" (the root), "generator", "models[0]"
  NodeId node = kNoNode;
  bool module = false;             // a pickled nn.Module: its parameters and buffers
  std::string prefix;              // "" or "generator."
  std::vector<WeightKey> entries;  // with a prefix, or of a module; the keys of other mappings are the names
  std::shared_ptr<const std::vector<std::string>> names;  // that the entries view
};

// Something that was found by its form.
struct Part {
  Form form = Form::kStateDict;
  std::string path;
  NodeId node = kNoNode;
  std::size_t index = 0;  // among the file's state_dicts (modules, too), optimizers, schedulers, scalers
};

// Node ids of what is there; kNoNode for what is not. Types are not checked here: a `loops` that is a string
// is still `loops`.
struct Items {
  FileKind kind = FileKind::kOther;
  // The training state is where its form shows it, as in every file but a Trainer's. A Trainer's sharded
  // strategies write the optimizers so, too (FSDP, ModelParallel: `optimizer_0`).
  bool by_form = false;
  NodeId root = kNoNode;
  NodeId version_node = kNoNode;
  std::optional<Version> version;
  NodeId epoch = kNoNode, global_step = kNoNode;
  std::string epoch_path, global_step_path;  // "epoch", "iter_num", "meta.iter"; "" where there is none
  NodeId state_dict = kNoNode;               // the only one, or the one that the file calls its model
  std::string state_dict_path;               // "state_dict", "" (the root), or where it was found
  std::vector<StateDict> state_dicts;        // all of them, in document order
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
  // What was found by its form, in document order, and where; if not `by_form`, the state_dict alone.
  std::vector<Part> parts;
  std::map<std::string, std::size_t, std::less<>> part_at;  // path -> index into parts
};

Items find_items(const Checkpoint& checkpoint);

// True if there is a place for optimizers, be it an empty list or of another type.
bool has_optimizers(const Items& items);

// The optimizers (or schedulers) of a file with their paths: the elements of `list`, which is under `key`, or
// what was found by its form. At most as many as Budget allows.
struct PlacedNode {
  std::string path;
  NodeId node = kNoNode;
};
std::vector<PlacedNode> places_of(const value::Tree& tree, const Items& items, Form form, NodeId list,
                                  std::string_view key);

// The part that a path lies in, or null.
const Part* part_of(const Items& items, std::string_view path);

// Where a value of an optimizer or a scheduler would be in a Trainer's file:
// "optimizer_states[0].state[3].step" of "g_optim.state[3].step". nullopt for everything else. What says
// something of such places by pattern then holds for every file.
std::optional<std::string> trainer_path(const Items& items, std::string_view path);

}  // namespace ckpt::training
