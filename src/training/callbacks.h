// The states of callbacks: {state key: state} (trainer/call.py, _call_callbacks_state_dict).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "training/items.h"

namespace ckpt::training {

struct Callback {
  NodeId key_node = kNoNode;
  std::string_view key;   // "ModelCheckpoint{'monitor': 'val_loss', ...}"; empty if it is not a string
  std::string_view name;  // "ModelCheckpoint"; empty where the key is neither a string nor a class
  bool by_class = false;  // before 1.5 the class itself is the key
  NodeId state = kNoNode;

  std::string path(const value::Tree& tree) const;  // callbacks["ModelCheckpoint{...}"]
};
// In document order; views into the tree.
std::vector<Callback> read_callbacks(const value::Tree& tree, NodeId callbacks);

// True with a BaseFinetuning (BackboneFinetuning ...) among them: it adds parameter groups while training and
// sets their rates itself (callbacks/finetuning.py).
bool is_finetuned(const value::Tree& tree, const std::vector<Callback>& callbacks);

// The key of a callback's state as Lightning 1.9 and later spell it: 1.5 to 1.8 had 'save_on_train_epoch_end'
// in that of ModelCheckpoint (utilities/migration/migration.py,
// _migrate_model_checkpoint_save_on_train_epoch_end_default).
std::string current_callback_key(std::string_view key);

// "ModelCheckpoint" of "ModelCheckpoint{'monitor': ...}" (callbacks/callback.py, _generate_state_key).
std::string_view callback_class(std::string_view key);

}  // namespace ckpt::training
