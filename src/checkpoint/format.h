// A checkpoint format: a const struct with functions, listed in formats/list.cpp in probing order. To add
// one, write formats/<name>.cpp and one line there.
#pragma once

#include <span>
#include <string_view>

#include "checkpoint/checkpoint.h"
#include "checkpoint/source.h"

namespace ckpt {

struct Format {
  std::string_view name;   // "torch-zip"
  std::string_view help;   // what writes it: one line for --list-formats and the README
  std::string_view holds;  // what is read of it, in a few words; "" if it is only named and refused
  // A file by its content only, never by its name; a folder by the names of the files in it.
  bool (*probe)(const Source& source);
  // Throws Error if nothing can be read; otherwise fills `out`. For a file, its one part is there already.
  void (*read)(const Source& source, const Limits& limits, Checkpoint& out);
  bool only_weights = false;  // it can hold tensors by name and texts about them, and nothing else
  bool unshared = false;      // it does not record that tensors share a storage: each has its own
};

std::span<const Format> all_formats();
const Format* format_of(const Source& source);  // the first that recognises it; null: none

}  // namespace ckpt
