// An input of a program: a checkpoint with its items found, or the reason why it could not be read. This is
// where an Error of a reader is caught, once per input.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/checkpoint.h"
#include "training/items.h"

namespace ckpt {

struct Opened {
  CheckpointPtr file;  // null: could not be opened, see failure
  training::Items items;
  std::optional<Error> failure;
  std::string path;  // as the user typed it
};

// Never throws because of the input (std::bad_alloc becomes kLimit).
Opened open_input(const std::string& path, const Limits& limits = {});

// The tensor's storage, or null if its elements cannot be read: no storage, no bytes, out of bounds.
const tensor::Storage* readable_storage(const Checkpoint& checkpoint, const TensorRecord& record);

}  // namespace ckpt
