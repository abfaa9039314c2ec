// An open archive: the directory that torch would see, compared with libzip's view entry by entry, and
// the bytes of every entry. STORED entries are ranges of the file; DEFLATED ones go through libzip.
// <zip.h> is included by zip_libzip.cpp alone.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "io/byte_source.h"
#include "io/zip_directory.h"

namespace ckpt::io {

class Inflater;

class ZipArchive {
 public:
  // Throws as read_zip_directory does. Where libzip and our directory differ (count, name, sizes, crc,
  // method), or libzip refuses what we accept, a zip-libzip-differs defect is added to defects().
  static std::shared_ptr<const ZipArchive> open(SourcePtr source, const Limits& limits);
  ~ZipArchive();

  const std::vector<ZipEntry>& entries() const { return directory_.entries; }
  const std::vector<ZipDefect>& defects() const { return directory_.defects; }
  const ZipEntry* find(std::string_view name) const { return directory_.find(name); }

  // The uncompressed bytes of an entry as a source. Stored: a range of the file, nothing is read now.
  // Deflated: inflated on demand, front to back (random_access() is false), never held as a whole.
  // Throws kUnsupported for encrypted entries and methods other than 0 and 8, kLimit where the sizes
  // promise more than deflate can do. Reading the last byte of a deflated entry throws kCorrupt if there is
  // more behind it or the CRC is wrong; `out` has been filled by then, with what torch would load.
  SourcePtr entry_source(const ZipEntry& entry) const;

 private:
  ZipArchive(SourcePtr source, ZipDirectory directory, const Limits& limits);
  SourcePtr source_;
  ZipDirectory directory_;
  std::shared_ptr<Inflater> inflater_;  // shared by the sources of deflated entries
};

}  // namespace ckpt::io
