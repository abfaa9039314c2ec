#include "training/state.h"

#include "value/access.h"

namespace ckpt::training {
namespace {

std::vector<HyperParameters> read_hyper_parameters(const value::Tree& tree, const Items& items) {
  std::vector<HyperParameters> out;
  for (const auto& item : value::mapping_items(tree, items.root)) {
    if (item.value != items.hyper_parameters && item.value != items.datamodule_hyper_parameters) continue;
    if (const auto key = value::string_of(tree, item.key))
      out.push_back({value::key_path("", *key), item.value});
  }
  return out;
}

}  // namespace

State read_state(const Checkpoint& file, const Items& items) {
  State state;
  state.progress = read_progress(file.tree, items);
  state.optimizers = read_optimizers(file.tree, items.optimizer_states);
  state.schedulers = read_schedulers(file.tree, items.lr_schedulers);
  state.callbacks = read_callbacks(file.tree, items.callbacks);
  state.scalers = read_scalers(file.tree);
  state.hyper_parameters = read_hyper_parameters(file.tree, items);
  return state;
}

bool is_weights_only(const Items& items) {
  return items.kind == FileKind::kTrainer && items.optimizer_states == kNoNode &&
         items.lr_schedulers == kNoNode && items.callbacks == kNoNode;
}

}  // namespace ckpt::training
