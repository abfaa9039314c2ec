// Where bytes come from: a file, memory, an entry of an archive, a slice of another source.
// The only virtual interface of the project. All members are const and safe to call from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ckpt::io {

class ByteSource;

// Where a byte lies: in a source that is no part of another one (a file, memory).
struct Place {
  const ByteSource* file = nullptr;
  std::uint64_t offset = 0;
};

// Bytes in memory for as long as `hold` lives, or for as long as the source does if it is null.
struct Window {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> hold;
};

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  virtual std::uint64_t size() const = 0;

  // Fills the whole of `out` from `offset`. Throws kTruncated if the range is not inside [0, size()),
  // kIo if the system fails, kChanged if the file has shrunk, kCorrupt if inflating fails.
  virtual void read(std::uint64_t offset, std::span<std::byte> out) const = 0;

  // The bytes in place, or nullopt if they are not in memory (then use read). May be misaligned.
  virtual std::optional<std::span<const std::byte>> view(std::uint64_t offset, std::uint64_t size) const;

  // The same for a file, which is mapped for as long as the result lives; nullopt where read() is no slower.
  // What a window shows of a file that shrinks meanwhile is wrong, and check_unchanged throws.
  virtual std::optional<Window> window(std::uint64_t offset, std::uint64_t size) const;

  // False for an inflated entry: reading backwards starts over. Callers then read front to back.
  virtual bool random_access() const { return true; }

  // Where the byte at `offset` lies as it is; nullopt if it has to be computed (inflated).
  virtual std::optional<Place> locate(std::uint64_t offset) const { return Place{this, offset}; }

  // Throws kChanged if the content behind the source has changed since it was opened (the file was written).
  virtual void check_unchanged() const {}
};

using SourcePtr = std::shared_ptr<const ByteSource>;

// Bytes owned by the source.
SourcePtr memory_source(std::vector<std::byte> bytes);
// A range of `source`; throws kTruncated if it does not lie inside.
SourcePtr slice_source(SourcePtr source, std::uint64_t offset, std::uint64_t size);
// All of `source`; throws kLimit beyond `max_bytes`, naming `what`.
std::vector<std::byte> read_all(const ByteSource& source, std::uint64_t max_bytes, std::string_view what);

}  // namespace ckpt::io
