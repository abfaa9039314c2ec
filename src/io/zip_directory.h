// What torch's zip reader (miniz) would see in an archive, and where the bytes of each entry are.
// libzip reports neither the data offset nor which of several directories miniz would use, so this
// reader decides and libzip is compared with it (zip_archive.h). Nothing is inflated here.
// Sources: PKWARE APPNOTE 6.3.x; miniz 2.1/3.0 mz_zip_reader_init_internal (as used by torch's
// caffe2/serialize/inline_container.cc).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "io/byte_source.h"

namespace ckpt::io {

struct ZipEntry {
  std::string_view name;            // raw bytes of the central directory, owned by ZipDirectory
  std::uint64_t header_offset = 0;  // local header, from the start of the source
  std::uint64_t data_offset = 0;    // first byte of the (possibly compressed) data
  std::uint64_t compressed_size = 0;
  std::uint64_t size = 0;    // uncompressed
  std::uint32_t crc32 = 0;   // of the uncompressed bytes; 0 may mean "not computed"
  std::uint16_t method = 0;  // 0 stored, 8 deflated
  std::uint16_t flags = 0;

  bool stored() const { return method == 0; }
};

// Something readable but wrong or ambiguous. `code` is one of the zip-* names that src/README.md lists
// (zip-eocd-ambiguous, zip-duplicate-entry, zip-case-insensitive, zip-name-ambiguous,
// zip-header-mismatch, zip-size-mismatch, zip-dir-attribute, zip-overlap, zip-layout, zip-name-unsafe,
// zip-symlink, zip-encrypted, zip-method-unsupported, zip-trailing-data, zip-leading-data,
// zip-libzip-differs). After 20 defects of a kind, one more says how many were omitted.
struct ZipDefect {
  std::string code;
  std::string entry;  // entry name, or empty for the archive as a whole
  std::string text;   // one line, untrusted text already quoted
  std::uint64_t offset = 0;
};

struct ZipDirectory {
  std::vector<std::byte> bytes;   // the central directory; entries' names point into it
  std::vector<ZipEntry> entries;  // in directory order
  std::vector<ZipDefect> defects;

  const ZipEntry* find(std::string_view name) const;  // exact bytes; the first of duplicates
  std::vector<std::uint32_t> by_name;                 // indexes into entries, sorted by name
};

// True if the first four bytes make torch use its zip reader.
bool looks_like_zip(std::span<const std::byte> head);

// Throws kTruncated (no end record, directory or entry beyond the end), kCorrupt, kLimit.
ZipDirectory read_zip_directory(const ByteSource& source, const Limits& limits);

}  // namespace ckpt::io
