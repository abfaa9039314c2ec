// The entry point: a path -> a Checkpoint, or an Error that says what the file is and what to do.
#pragma once

#include <string>

#include "base/limits.h"
#include "checkpoint/checkpoint.h"

namespace ckpt {

// Probes the formats in their order (formats/list.cpp), reads with the first that recognises the bytes.
// Throws Error: kNotFound, kIo, kEmpty, kPointer, kForeign, kLegacy, kTorchScript, kUnsupported, kTruncated,
// kCorrupt, kLimit.
CheckpointPtr open_checkpoint(const std::string& path, const Limits& limits = {});

// The same for bytes in memory (tests, fuzzing); `path` is used in messages only.
CheckpointPtr open_checkpoint(io::SourcePtr source, const std::string& path, const Limits& limits = {});

// True for a directory that is one checkpoint, whole or not: distributed (DCP) or DeepSpeed.
// Opening it throws kUnsupported, or kTruncated if the save was interrupted.
bool is_checkpoint_directory(const std::string& path);

}  // namespace ckpt
