#include "training/state.h"

#include "training/models.h"
#include "value/access.h"
#include "value/path.h"

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

// An item of a Trainer's file, whatever its key; of other files what has the form, in any nesting.
std::vector<Scaler> read_scalers(const value::Tree& tree, const Items& items) {
  std::vector<Scaler> scalers;
  if (items.by_form) {
    for (const Part& part : items.parts)
      if (part.form == Form::kScaler) scalers.push_back({part.path, part.node});
    return scalers;
  }
  for (const value::Item& item : value::mapping_items(tree, items.root)) {
    if (!is_scaler(tree, item.value)) continue;
    Scaler& scaler = scalers.emplace_back();
    value::append_key(scaler.path, tree, item.key);
    scaler.node = item.value;
  }
  return scalers;
}

}  // namespace

State read_state(const Checkpoint& file, const Items& items) {
  State state;
  state.progress = read_progress(file.tree, items);
  state.optimizers = read_optimizers(file.tree, items);
  find_models(file, items, state.optimizers);
  state.schedulers = read_schedulers(file.tree, items);
  state.callbacks = read_callbacks(file.tree, items.callbacks);
  state.scalers = read_scalers(file.tree, items);
  state.hyper_parameters = read_hyper_parameters(file.tree, items);
  return state;
}

bool is_weights_only(const Items& items) {
  return items.kind == FileKind::kTrainer && !has_optimizers(items) && items.lr_schedulers == kNoNode &&
         items.callbacks == kNoNode;
}

}  // namespace ckpt::training
