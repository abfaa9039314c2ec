// An input of a program: a checkpoint with its items found, or the reason why it could not be read. This is
// where an Error of a reader is caught, once per input.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/source.h"
#include "training/items.h"
#include "training/state.h"

namespace ckpt {

struct Opened {
  CheckpointPtr file;  // null: could not be opened, see failure
  training::Items items;
  training::State training;
  std::optional<Error> failure;
  std::string path;  // as the user typed it
};

// Never throws because of the input (std::bad_alloc becomes kLimit).
Opened open_input(const std::string& path, const Limits& limits = {});

// The same for what `open` gives; what it throws is the failure, too. `path` is the name in reports.
Opened open_input(const std::string& path, const std::function<Source()>& open, const Limits& limits = {});

// A checkpoint that is in memory already. May throw std::bad_alloc.
Opened read_input(CheckpointPtr file, const std::string& path);

// The tensor's storage, or null where its elements cannot be read: no storage, no bytes, out of bounds.
const tensor::Storage* readable_storage(const Checkpoint& checkpoint, const TensorRecord& record);

}  // namespace ckpt
