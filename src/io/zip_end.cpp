// Finds the end of the central directory as miniz does: mz_zip_reader_locate_header_sig and
// mz_zip_reader_init_internal of miniz 2.1/3.0 (third_party/miniz in pytorch).
#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"
#include "io/zip_internal.h"

namespace ckpt::io {
namespace {

constexpr std::uint64_t kTailSize = 65535 + kEndSize;  // the longest comment, and the record itself
constexpr std::string_view kAmbiguous = "zip-eocd-ambiguous";

// The numbers that the end record and its zip64 form both hold.
struct Summary {
  std::uint64_t disk = 0;
  std::uint64_t directory_disk = 0;
  std::uint64_t entries_here = 0;
  std::uint64_t entries = 0;
  std::uint64_t directory_size = 0;
  std::uint64_t directory_offset = 0;
};

struct Classic {
  Summary summary;
  std::uint64_t comment_size = 0;
};

struct Zip64 {
  Summary summary;
  std::uint64_t offset = 0;
  std::uint64_t record_size = 0;  // without signature and this field
  std::uint64_t disks = 0;
};

// Offsets in `tail` where an end record could start, the last one first.
std::vector<std::size_t> candidates(std::string_view tail) {
  static constexpr std::string_view kSignature("PK\5\6", 4);
  std::vector<std::size_t> found;
  if (tail.size() < kEndSize) return found;
  std::size_t from = tail.size() - kEndSize;
  for (;;) {
    const std::size_t at = tail.rfind(kSignature, from);
    if (at == std::string_view::npos) return found;
    found.push_back(at);
    if (at == 0) return found;
    from = at - 1;
  }
}

Classic read_classic(std::span<const std::byte> bytes, std::uint64_t offset) {
  ByteReader reader(bytes, offset);
  reader.skip(4, "end record signature");
  Classic end;
  end.summary.disk = reader.le<std::uint16_t>("end record disk");
  end.summary.directory_disk = reader.le<std::uint16_t>("end record directory disk");
  end.summary.entries_here = reader.le<std::uint16_t>("end record entries on this disk");
  end.summary.entries = reader.le<std::uint16_t>("end record entries");
  end.summary.directory_size = reader.le<std::uint32_t>("end record directory size");
  end.summary.directory_offset = reader.le<std::uint32_t>("end record directory offset");
  end.comment_size = reader.le<std::uint16_t>("end record comment length");
  return end;
}

// The zip64 end record, if a locator is directly before the end record. Like miniz, a locator that
// points at something else is ignored; unlike miniz, it is reported.
std::optional<Zip64> read_zip64(const ByteSource& source, std::uint64_t end_offset, DefectLog& log) {
  if (end_offset < kLocatorSize + kEnd64Size) return std::nullopt;
  std::array<std::byte, kLocatorSize> locator_bytes{};
  source.read(end_offset - kLocatorSize, locator_bytes);
  ByteReader locator(locator_bytes, end_offset - kLocatorSize);
  if (locator.le<std::uint32_t>("zip64 locator signature") != kLocatorSignature) return std::nullopt;
  locator.skip(4, "zip64 locator disk");
  Zip64 zip64;
  zip64.offset = locator.le<std::uint64_t>("zip64 locator offset");
  zip64.disks = locator.le<std::uint32_t>("zip64 locator disks");
  if (zip64.offset > source.size() - kEnd64Size) {
    fail(ErrorCode::kTruncated,
         fmt::format("the zip64 end record should be at byte {}, but the file has {}; copy or save it again",
                     zip64.offset, plural(source.size(), "byte")),
         end_offset - kLocatorSize);
  }
  std::array<std::byte, kEnd64Size> bytes{};
  source.read(zip64.offset, bytes);
  ByteReader reader(bytes, zip64.offset);
  if (reader.le<std::uint32_t>("zip64 end record signature") != kEnd64Signature) {
    log.add(kAmbiguous, "",
            fmt::format("the zip64 locator points at byte {}, but there is no zip64 end record there",
                        zip64.offset),
            end_offset - kLocatorSize);
    return std::nullopt;
  }
  zip64.record_size = reader.le<std::uint64_t>("zip64 end record size");
  reader.skip(4, "zip64 end record versions");
  zip64.summary.disk = reader.le<std::uint32_t>("zip64 end record disk");
  zip64.summary.directory_disk = reader.le<std::uint32_t>("zip64 end record directory disk");
  zip64.summary.entries_here = reader.le<std::uint64_t>("zip64 end record entries on this disk");
  zip64.summary.entries = reader.le<std::uint64_t>("zip64 end record entries");
  zip64.summary.directory_size = reader.le<std::uint64_t>("zip64 end record directory size");
  zip64.summary.directory_offset = reader.le<std::uint64_t>("zip64 end record directory offset");
  return zip64;
}

// A field of the end record either agrees with its zip64 form or refers to it.
void compare_field(DefectLog& log, std::uint64_t offset, std::string_view what, std::uint64_t classic,
                   std::uint64_t marker, std::uint64_t zip64) {
  if (classic == marker || classic == zip64) return;
  log.add(kAmbiguous, "",
          fmt::format("the end record says {} {}, the zip64 end record {}: readers see different archives",
                      what, classic, zip64),
          offset);
}

void compare(const Classic& classic, const Zip64& zip64, std::uint64_t offset, DefectLog& log) {
  const Summary& a = classic.summary;
  const Summary& b = zip64.summary;
  compare_field(log, offset, "entries:", a.entries, kMarker16, b.entries);
  compare_field(log, offset, "entries on this disk:", a.entries_here, kMarker16, b.entries_here);
  compare_field(log, offset, "disk:", a.disk, kMarker16, b.disk);
  compare_field(log, offset, "disk of the directory:", a.directory_disk, kMarker16, b.directory_disk);
  compare_field(log, offset, "directory size:", a.directory_size, kMarker32, b.directory_size);
  compare_field(log, offset, "directory offset:", a.directory_offset, kMarker32, b.directory_offset);
}

void require_zip64(const Zip64& zip64) {
  if (zip64.record_size < kEnd64Size - 12) {
    fail(ErrorCode::kCorrupt,
         fmt::format("the zip64 end record says its size is {}, but at least {} is needed", zip64.record_size,
                     kEnd64Size - 12),
         zip64.offset);
  }
  if (zip64.disks != 1) {
    fail(ErrorCode::kCorrupt,
         fmt::format("the zip64 locator says {}; an archive must be a single file",
                     plural(zip64.disks, "disk")),
         zip64.offset);
  }
  if (zip64.summary.entries > kMarker32 || zip64.summary.directory_size > kMarker32) {
    fail(ErrorCode::kCorrupt,
         fmt::format("the zip64 end record claims {} in {} of directory; torch reads at most 2^32 - 1",
                     plural(zip64.summary.entries, "entry"), plural(zip64.summary.directory_size, "byte")),
         zip64.offset);
  }
}

void require_summary(const Summary& summary, std::uint64_t offset, std::uint64_t file_size) {
  if (summary.entries != summary.entries_here) {
    fail(ErrorCode::kCorrupt,
         fmt::format("the end record says {} in total, but {} on this disk; an archive must be a single file",
                     plural(summary.entries, "entry"), summary.entries_here),
         offset);
  }
  const bool one_disk = (summary.disk == 0 && summary.directory_disk == 0) ||
                        (summary.disk == 1 && summary.directory_disk == 1);
  if (!one_disk) {
    fail(ErrorCode::kCorrupt,
         fmt::format("the end record says disk {} and {}; an archive must be a single file", summary.disk,
                     summary.directory_disk),
         offset);
  }
  const auto end = checked_add(summary.directory_offset, summary.directory_size);
  if (!end || *end > file_size) {
    fail(ErrorCode::kTruncated,
         fmt::format("the directory should be {} at byte {}, but the file has {}; copy or save it again",
                     plural(summary.directory_size, "byte"), summary.directory_offset,
                     plural(file_size, "byte")),
         offset);
  }
  const auto least = checked_mul(summary.entries, kCentralSize);
  if (!least || summary.directory_size < *least) {
    fail(ErrorCode::kCorrupt,
         fmt::format("the directory has {}, too few for its {}", plural(summary.directory_size, "byte"),
                     plural(summary.entries, "entry")),
         offset);
  }
}

// What is between the directory and the end record, and after it.
void check_surroundings(const EndRecord& end, const std::optional<Zip64>& zip64, std::uint64_t comment_size,
                        std::uint64_t file_size, DefectLog& log) {
  const std::uint64_t after = file_size - end.offset - kEndSize;
  if (comment_size > after) {
    log.add(
        kAmbiguous, "",
        fmt::format("the archive comment should have {}, but the file ends after {}; other readers reject it",
                    plural(comment_size, "byte"), after),
        end.offset);
  } else if (comment_size < after) {
    log.add("zip-trailing-data", "",
            fmt::format("{} after the end of the archive, not described by any record",
                        plural(after - comment_size, "byte")),
            end.end);
  }
  if (end.directory_end() != end.chain_offset) {
    log.add("zip-layout", "",
            fmt::format("the directory ends at byte {}, but its end record starts at byte {}: readers that "
                        "count back from there find another directory",
                        end.directory_end(), end.chain_offset),
            end.directory_end());
  }
  if (zip64 && zip64->offset + 12 + zip64->record_size != end.offset - kLocatorSize) {
    log.add(
        "zip-layout", "",
        fmt::format("the zip64 end record at byte {} with a size of {} does not reach its locator at byte {}",
                    zip64->offset, zip64->record_size, end.offset - kLocatorSize),
        zip64->offset);
  }
}

// torch's copy of miniz looks for the record in blocks from the end of the file. The step to the block before
// is computed without a sign: where less than a step is left, it goes beyond the start and fails.
void check_search(std::uint64_t offset, std::uint64_t file_size, DefectLog& log) {
  constexpr std::uint64_t kBlock = 4096, kStep = kBlock - 3;
  std::uint64_t at = file_size - std::min(kBlock, file_size);
  while (offset < at && at >= kStep) at -= kStep;
  if (offset >= at) return;
  log.add("zip-layout", "",
          fmt::format(
              "the end record is at byte {} of {}, where torch's search for it fails: the comment or what "
              "follows the archive is too long",
              offset, file_size),
          offset);
}

}  // namespace

EndRecord find_end_record(const ByteSource& source, DefectLog& log) {
  std::vector<std::byte> tail(std::min(source.size(), kTailSize));
  const std::uint64_t tail_offset = source.size() - tail.size();
  source.read(tail_offset, tail);
  const auto found = candidates({reinterpret_cast<const char*>(tail.data()), tail.size()});
  if (found.empty()) {
    fail(ErrorCode::kTruncated,
         "the zip archive has no end record: the file was cut short or is still being written; copy or save "
         "it again",
         source.size());
  }
  EndRecord end;
  end.offset = tail_offset + found.front();
  for (std::size_t i = 1; i < found.size(); ++i) end.others.push_back(tail_offset + found[i]);

  const Classic classic = read_classic(std::span(tail).subspan(found.front()), end.offset);
  const auto zip64 = read_zip64(source, end.offset, log);
  if (zip64) {
    require_zip64(*zip64);
    compare(classic, *zip64, end.offset, log);
  }
  const Summary& summary = zip64 ? zip64->summary : classic.summary;
  require_summary(summary, end.offset, source.size());
  end.chain_offset = zip64 ? zip64->offset : end.offset;
  end.end = std::min(end.offset + kEndSize + classic.comment_size, source.size());
  end.directory_offset = summary.directory_offset;
  end.directory_size = summary.directory_size;
  end.entries = summary.entries;
  end.disk = static_cast<std::uint32_t>(summary.disk);
  check_surroundings(end, zip64, classic.comment_size, source.size(), log);
  check_search(end.offset, source.size(), log);
  return end;
}

}  // namespace ckpt::io
