// Git LFS: a pointer in place of a file, and the file itself in the repository's own store.
// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/limits.h"
#include "io/byte_source.h"

namespace ckpt::operands {

struct LfsPointer {
  std::string oid;  // SHA-256, 64 hexadecimal digits
  std::uint64_t size = 0;
};

// nullopt for anything else, also for pointers that are cut off or of another hash.
std::optional<LfsPointer> read_lfs_pointer(const io::ByteSource& source);

// The path of the object in the store of the repository of `folder` ("": the current one), whether it is
// there or not; nullopt outside of a repository, or without git.
std::optional<std::string> lfs_object(const LfsPointer& pointer, const std::string& folder,
                                      const Limits& limits);

// The object, its size and SHA-256 checked: reads all of it. Throws kPointer if it is not there, with
// `fetch`, the command that gets it; kCorrupt if it is not what the pointer says.
io::SourcePtr open_lfs_object(const LfsPointer& pointer, const std::optional<std::string>& path,
                              const std::string& fetch);

}  // namespace ckpt::operands
