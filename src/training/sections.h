// The sections that a checkpoint is shown and compared in: every path belongs to exactly one.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "training/items.h"

namespace ckpt::training {

// Sections in the order in which people need them; every path of a checkpoint belongs to exactly one.
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

// Of an item that Lightning has always under this key; nullopt for keys of the user, datamodules and
// precision plugins.
std::optional<Section> section_of_key(std::string_view key);

// The section of a path: that of the part in which it lies, or that of its first component.
Section section_of(const Items& items, std::string_view path);

}  // namespace ckpt::training
