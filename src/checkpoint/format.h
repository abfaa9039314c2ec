// A checkpoint format: a const struct with functions, listed in formats/list.cpp in probing order. To add
// one, write formats/<name>.cpp and one line there.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "checkpoint/checkpoint.h"

namespace ckpt {

struct Format {
  std::string_view name;  // "torch-zip"
  std::string_view help;  // one line for --help and the README
  // By content only, never by the file's name. `head` holds up to the first 4096 bytes.
  bool (*probe)(std::span<const std::byte> head, const io::ByteSource& source);
  // Throws Error if nothing can be read; otherwise fills `out` (path and file_size are set already).
  void (*read)(io::SourcePtr source, const Limits& limits, Checkpoint& out);
};

std::span<const Format> all_formats();

}  // namespace ckpt
