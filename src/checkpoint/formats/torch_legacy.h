// What torch.save wrote before 1.6, and writes with _use_new_zipfile_serialization=False: five pickles (a
// magic number, a version, facts on the system, the object, the keys of the storages), then the storages.
// Source: torch/serialization.py, _legacy_save and _legacy_load.
#pragma once

#include "checkpoint/format.h"

namespace ckpt::formats {

extern const Format kTorchLegacy;

bool is_torch_legacy(std::span<const std::byte> head);

// As read_torch_archive, for a whole file.
value::NodeId read_torch_legacy(io::SourcePtr bytes, std::uint32_t part, const Limits& limits,
                                Checkpoint& out);

// A whole file of a folder that torch.save wrote, in this form or as an archive.
value::NodeId read_torch_file(const io::SourcePtr& bytes, std::uint32_t part, const Limits& limits,
                              Checkpoint& out);

}  // namespace ckpt::formats
