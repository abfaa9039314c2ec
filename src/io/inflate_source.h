// Deflated entries as sources. Private to io.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/limits.h"
#include "io/byte_source.h"
#include "io/zip_directory.h"
#include "io/zip_libzip.h"

namespace ckpt::io {

// What is needed to read an entry after its archive is gone.
struct DeflatedEntry {
  std::string name;
  std::uint64_t index = 0;  // in the directory, ours and libzip's
  std::uint64_t header_offset = 0;
  std::uint64_t compressed_size = 0;
  std::uint64_t size = 0;
  std::uint32_t crc32 = 0;
};

// The streams of the deflated entries of one archive. Opens libzip when the first byte is read. Any
// thread; only one reads at a time, since libzip is not thread-safe.
class Inflater {
 public:
  Inflater(SourcePtr source, const Limits& limits)
      : source_(std::move(source)), ratio_(limits.inflate_ratio) {}

  // Throws kLimit if `entry` claims more than deflate can hold.
  void require_ratio(const DeflatedEntry& entry) const;
  void read(const DeflatedEntry& entry, std::uint64_t offset, std::span<std::byte> out);
  void check_unchanged() const { source_->check_unchanged(); }

 private:
  struct Stream {
    std::uint64_t index = 0;
    std::uint64_t position = 0;
    std::uint64_t last_use = 0;
    std::unique_ptr<LibzipFile> file;
  };

  Stream take_stream(const DeflatedEntry& entry, std::uint64_t offset);
  std::unique_ptr<LibzipFile> open(const DeflatedEntry& entry);
  void keep_stream(Stream stream);

  SourcePtr source_;
  std::uint64_t ratio_;
  std::mutex mutex_;
  std::unique_ptr<Libzip> libzip_;
  std::vector<Stream> streams_;  // after libzip_: files close before the archive
  std::uint64_t clock_ = 0;
};

SourcePtr inflate_source(std::shared_ptr<Inflater> inflater, DeflatedEntry entry);

}  // namespace ckpt::io
