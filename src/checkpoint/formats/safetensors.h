// Hugging Face's safetensors: a length, a JSON header with names, dtypes, shapes and byte ranges, and the
// bytes. Source: safetensors/src/tensor.rs (read_metadata, validate). What that library refuses is refused
// here.
#pragma once

#include <cstdint>
#include <string>

#include "checkpoint/format.h"

namespace ckpt::formats {

extern const Format kSafetensors;

// Reads a file as the part `part` and appends its tensors and its __metadata__ as items of `dict`, in the
// order of the header. Throws Error, which names the field.
void read_safetensors(io::SourcePtr bytes, std::uint32_t part, const Limits& limits, Checkpoint& out,
                      value::NodeId dict);

}  // namespace ckpt::formats
