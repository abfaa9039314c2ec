// A range of a file in memory. A file that is truncated while it is mapped, and a disk that fails, kill a
// process with SIGBUS; here the pages that are gone read as zeros and `lost` is set, and whoever opened the
// file throws away what was made of them (FileSource::check_unchanged).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace ckpt::io {

// Where whether pages were lost is noted; outlives the windows of its file.
using LostFlag = std::shared_ptr<std::atomic<bool>>;

// The bytes [offset, offset + size) of an open file, read ahead as far as the system likes, and what keeps
// them; null where the range cannot be mapped (too many windows at a time, a file system without mappings).
// Thread-safe. The first call installs a handler for SIGBUS, which passes on what is not a window's.
struct MappedBytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> hold;
};
MappedBytes map_file(int fd, std::uint64_t offset, std::size_t size, const LostFlag& lost);

}  // namespace ckpt::io
