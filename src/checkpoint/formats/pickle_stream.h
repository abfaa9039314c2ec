// Pickles and numbers one after another in a file, where only reading a pickle tells how long it is: torch's
// formats before 1.6. Private to checkpoint/formats.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "io/byte_source.h"
#include "pickle/machine.h"

namespace ckpt::formats {

class PickleStream {
 public:
  PickleStream(io::SourcePtr bytes, std::uint64_t offset, const Limits& limits)
      : bytes_(std::move(bytes)), offset_(offset), limits_(limits) {}

  std::uint64_t offset() const { return offset_; }
  bool at_end() const { return offset_ >= bytes_->size(); }

  // The bytes of the pickle that begins here, to its STOP; steps over it. `what` names it in the Error:
  // kTruncated, kCorrupt, kLimit.
  std::shared_ptr<const std::vector<std::byte>> next(std::string_view what);
  // The same for a pickle of a few values: runs it into `tree` and returns its root.
  value::NodeId value(value::Tree& tree, std::string_view what);
  // What all pickles so far import: torch runs each of them.
  const std::vector<pickle::Import>& imports() const { return imports_; }

  std::int64_t int64();  // little-endian
  std::int32_t int32();
  void skip(std::uint64_t size);  // throws kTruncated

 private:
  io::SourcePtr bytes_;
  std::uint64_t offset_;
  const Limits& limits_;
  std::vector<pickle::Import> imports_;
};

}  // namespace ckpt::formats
