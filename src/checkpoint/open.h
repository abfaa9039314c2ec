// The entry point: a path -> a Checkpoint, or an Error that says what the file is and what to do.
#pragma once

#include <string>

#include "base/limits.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/source.h"

namespace ckpt {

// Probes the formats in their order (formats/list.cpp), reads with the first that recognises the source: a
// file or the folder of one checkpoint. Throws Error: kNotFound, kIo, kEmpty, kPointer, kForeign,
// kTorchScript, kUnsupported, kTruncated, kCorrupt, kLimit.
CheckpointPtr open_checkpoint(const std::string& path, const Limits& limits = {});

CheckpointPtr open_checkpoint(const Source& source, const Limits& limits = {});
// The same for bytes in memory (tests, fuzzing); `path` is used in messages only.
CheckpointPtr open_checkpoint(io::SourcePtr bytes, const std::string& path, const Limits& limits = {});

// True for a folder that is one checkpoint, whole or not; false for a folder of other things.
bool is_checkpoint_folder(const std::string& path);

}  // namespace ckpt
