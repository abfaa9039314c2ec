// An open archive: the directory that torch would see, compared with libzip's view entry by entry, and
// the bytes of every entry. STORED entries are ranges of the file; DEFLATED ones go through libzip.
// only zip_libzip.cpp includes <zip.h>.
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
  // Throws like read_zip_directory. If libzip and our directory differ (count, name, sizes, crc,
  // method), or libzip rejects what we accept, a zip-libzip-differs defect is added to defects().
  static std::shared_ptr<const ZipArchive> open(SourcePtr source, const Limits& limits);
  ~ZipArchive();

  const std::vector<ZipEntry>& entries() const { return directory_.entries; }
  const std::vector<ZipDefect>& defects() const { return directory_.defects; }
  const ZipEntry* find(std::string_view name) const { return directory_.find(name); }

  // The uncompressed bytes of an entry as a source. Stored: a range of the file, nothing is read yet.
  // Deflated: inflated on demand, front to back (random_access() is false), never held in memory as a whole.
  // Throws kUnsupported for encrypted entries and methods other than 0 and 8, kLimit if the sizes
  // claim more than deflate can do. Reading the last byte of a deflated entry throws kCorrupt if there is
  // more behind it or the CRC is wrong; `out` has been filled by then, with what torch would load.
  SourcePtr entry_source(const ZipEntry& entry) const;

 private:
  ZipArchive(SourcePtr source, ZipDirectory directory, const Limits& limits);
  SourcePtr source_;
  ZipDirectory directory_;
  std::shared_ptr<Inflater> inflater_;  // shared by the sources of deflated entries
};

}  // namespace ckpt::io
