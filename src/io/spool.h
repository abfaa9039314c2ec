// A temporary file without a name, for bytes that come from a pipe and are read in any order: it vanishes
// with its last descriptor, also if the program is killed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "io/byte_source.h"
#include "io/descriptor.h"

namespace ckpt::io {

// An empty file in TMPDIR (/tmp without it). Throws kIo.
Descriptor temporary_file();

class Spool {
 public:
  // `limit`: in bytes, of the whole file.
  explicit Spool(std::uint64_t limit);

  // Throws kLimit beyond the limit, kIo if the file system is full or fails.
  void write(std::span<const std::byte> bytes);
  // Everything that can still be read from `fd`.
  void write_all_of(int fd);
  std::uint64_t size() const { return size_; }
  // Nothing may be written after it.
  SourcePtr finish();

 private:
  Descriptor file_;
  std::uint64_t limit_;
  std::uint64_t size_ = 0;
};

}  // namespace ckpt::io
