// Local headers, and whether every byte of the file has one meaning at most.
#include <algorithm>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "base/error.h"
#include "base/text.h"
#include "io/zip_internal.h"

namespace ckpt::io {
namespace {

// Reads small pieces at rising offsets with few system calls: the descriptor of an entry, the header of
// the next one, and often several small entries come with one read.
class Window {
 public:
  explicit Window(const ByteSource& source) : source_(source) {}

  // The bytes at [offset, offset + size), or fewer at the end of the source. Valid until the next call.
  std::span<const std::byte> at(std::uint64_t offset, std::uint64_t size) {
    const std::uint64_t available = source_.size() - std::min(offset, source_.size());
    size = std::min(size, available);
    if (size == 0) return {};
    if (offset < start_ || offset + size > start_ + bytes_.size()) {
      bytes_.resize(std::min(std::max(size, kSize), available));
      start_ = offset;
      source_.read(offset, bytes_);
    }
    return std::span<const std::byte>(bytes_).subspan(offset - start_, size);
  }

 private:
  static constexpr std::uint64_t kSize = 8192;
  const ByteSource& source_;
  std::vector<std::byte> bytes_;
  std::uint64_t start_ = 0;
};

struct Local {
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc32 = 0;
  std::uint32_t compressed_size = 0;
  std::uint32_t size = 0;
  std::uint16_t name_size = 0;
  std::uint16_t extra_size = 0;
};

Local read_local(Window& window, const ZipEntry& entry) {
  ByteReader reader(window.at(entry.header_offset, kLocalSize), entry.header_offset);
  if (reader.le<std::uint32_t>("local header signature") != kLocalSignature) {
    fail(ErrorCode::kCorrupt,
         fmt::format("{} has no local header at byte {}, where the directory says it is",
                     display_name(entry.name), entry.header_offset),
         entry.header_offset);
  }
  Local local;
  reader.skip(2, "local header version");
  local.flags = reader.le<std::uint16_t>("local header flags");
  local.method = reader.le<std::uint16_t>("local header method");
  reader.skip(4, "local header time");
  local.crc32 = reader.le<std::uint32_t>("local header crc");
  local.compressed_size = reader.le<std::uint32_t>("local header compressed size");
  local.size = reader.le<std::uint32_t>("local header size");
  local.name_size = reader.le<std::uint16_t>("local header name length");
  local.extra_size = reader.le<std::uint16_t>("local header extra length");
  return local;
}

// The end of the bytes a reader could take for the entry: torch reads `size` bytes of a stored entry,
// others `compressed_size`.
std::uint64_t longest_size(const ZipEntry& entry) {
  return entry.stored() ? std::max(entry.size, entry.compressed_size) : entry.compressed_size;
}

void place_data(const Local& local, std::uint64_t file_size, ZipEntry& entry) {
  entry.data_offset = entry.header_offset + kLocalSize + local.name_size + local.extra_size;
  if (entry.data_offset <= file_size && longest_size(entry) <= file_size - entry.data_offset) return;
  fail(ErrorCode::kTruncated,
       fmt::format("the data of {} should be {} at byte {}, but the file has {}; copy or save it again",
                   display_name(entry.name), plural(longest_size(entry), "byte"), entry.data_offset,
                   plural(file_size, "byte")),
       entry.header_offset);
}

void compare_number(DefectLog& log, const ZipEntry& entry, std::string_view what, std::uint64_t local,
                    std::uint64_t central) {
  if (local == central) return;
  log.add("zip-header-mismatch", entry.name,
          fmt::format("{}: the local header says {} {}, the directory says {}", display_name(entry.name),
                      what, local, central),
          entry.header_offset);
}

// Every header that torch writes has sizes and a CRC of zero (they follow in the descriptor), and the
// marker says that zip64 fields hold them; torch's local zip64 fields are not standard, so they are not read.
void compare_local(Window& window, const Local& local, const ZipEntry& entry, DefectLog& log) {
  // A name of a different length differs anyway; its start is enough for the message.
  const std::uint64_t shown =
      local.name_size == entry.name.size() ? local.name_size : std::min<std::uint64_t>(local.name_size, 256);
  const auto raw = window.at(entry.header_offset + kLocalSize, shown);
  const std::string_view name(reinterpret_cast<const char*>(raw.data()), raw.size());
  if (name != entry.name || local.name_size != name.size()) {
    log.add("zip-header-mismatch", entry.name,
            fmt::format("{}: the local header has the name {}", display_name(entry.name), display_name(name)),
            entry.header_offset);
  }
  compare_number(log, entry, "method", local.method, entry.method);
  compare_number(log, entry, "flags", local.flags, entry.flags);
  if (local.crc32 != 0) compare_number(log, entry, "crc", local.crc32, entry.crc32);
  const auto compare_size = [&](std::string_view what, std::uint32_t own, std::uint64_t central) {
    if (own != 0 && own != kMarker32) compare_number(log, entry, what, own, central);
  };
  compare_size("compressed size", local.compressed_size, entry.compressed_size);
  compare_size("size", local.size, entry.size);
}

// Whether `reader` continues with a CRC and the two sizes of `entry`, `T` wide each. The CRC may differ: no
// reader takes it from here, and tools that edit a record in place update it only in the directory.
template <class T>
bool descriptor_matches(ByteReader reader, const ZipEntry& entry) {
  constexpr std::string_view kField = "data descriptor";
  if (reader.remaining() < 4 + 2 * sizeof(T)) return false;
  reader.skip(4, kField);
  return reader.le<T>(kField) == entry.compressed_size && reader.le<T>(kField) == entry.size;
}

// The size of the data descriptor after the data, or nullopt if there is none that agrees with the
// directory. It may lack its signature, and its sizes may have 4 or 8 bytes (APPNOTE 4.3.9; torch writes 8
// whenever the entry has a zip64 field).
std::optional<std::uint64_t> descriptor_size(Window& window, const ZipEntry& entry) {
  const std::uint64_t offset = entry.data_offset + entry.compressed_size;
  const ByteReader plain(window.at(offset, 24), offset);
  ByteReader marked = plain;
  if (marked.remaining() >= 4 && marked.le<std::uint32_t>("data descriptor") == kDescriptorSignature) {
    if (descriptor_matches<std::uint64_t>(marked, entry)) return 24;
    if (descriptor_matches<std::uint32_t>(marked, entry)) return 16;
  }
  if (descriptor_matches<std::uint64_t>(plain, entry)) return 20;
  if (descriptor_matches<std::uint32_t>(plain, entry)) return 12;
  return std::nullopt;
}

class Layout {
 public:
  Layout(const ByteSource& source, const EndRecord& end, ZipDirectory& directory, DefectLog& log)
      : source_(source),
        window_(source),
        end_(end),
        directory_(directory),
        log_(log),
        order_(directory.entries.size()) {
    std::iota(order_.begin(), order_.end(), std::uint32_t{0});
    std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
      const auto first = directory.entries[a].header_offset;
      const auto second = directory.entries[b].header_offset;
      return first != second ? first < second : a < b;
    });
  }

  void check() {
    std::uint64_t reached = 0;
    std::string_view reached_by;
    for (const std::uint32_t index : order_) {
      ZipEntry& entry = directory_.entries[index];
      const std::uint64_t entry_end = check_entry(entry);
      if (entry.header_offset < reached) {
        log_.add("zip-overlap", entry.name,
                 fmt::format("{} shares bytes with {}", display_name(entry.name), display_name(reached_by)),
                 entry.header_offset);
      }
      if (entry_end > reached) {
        reached = entry_end;
        reached_by = entry.name;
      }
    }
    check_start();
    for (const std::uint64_t offset : end_.others) check_other_end(offset);
  }

 private:
  // Returns where the entry ends, its descriptor included.
  std::uint64_t check_entry(ZipEntry& entry) {
    const Local local = read_local(window_, entry);
    place_data(local, source_.size(), entry);
    compare_local(window_, local, entry, log_);
    std::uint64_t entry_end = entry.data_offset + longest_size(entry);
    if ((local.flags & kFlagDescriptor) != 0) {
      const auto descriptor = descriptor_size(window_, entry);
      if (descriptor) {
        entry_end = std::max(entry_end, entry.data_offset + entry.compressed_size + *descriptor);
      } else {
        log_.add("zip-header-mismatch", entry.name,
                 fmt::format("{}: the descriptor after its data is missing or contradicts the directory",
                             display_name(entry.name)),
                 entry.data_offset + entry.compressed_size);
      }
    }
    check_against_directory(entry, entry_end);
    return entry_end;
  }

  void check_against_directory(const ZipEntry& entry, std::uint64_t entry_end) {
    const std::uint64_t first = std::min(end_.directory_offset, end_.chain_offset);
    if (entry_end <= first) return;
    const std::uint64_t last = end_.offset + kEndSize;
    if (entry.header_offset < last) {
      log_.add("zip-overlap", entry.name,
               fmt::format("{} shares bytes with the directory", display_name(entry.name)),
               entry.header_offset);
    } else {
      log_.add("zip-layout", entry.name,
               fmt::format("{} starts after the end of the archive", display_name(entry.name)),
               entry.header_offset);
    }
  }

  void check_start() {
    const std::uint64_t first =
        order_.empty() ? end_.directory_offset : directory_.entries[order_.front()].header_offset;
    const std::uint64_t start = std::min({first, end_.directory_offset, end_.chain_offset});
    if (start == 0) return;
    log_.add("zip-leading-data", "",
             fmt::format("{} before the first entry, not described by any record", plural(start, "byte")), 0);
  }

  // A second signature of an end record. Inside the data of an entry (an archive in the archive) it only
  // matters if a reader that takes it would find a directory.
  void check_other_end(std::uint64_t offset) {
    if (inside_data(offset) && !finds_directory(offset)) return;
    log_.add("zip-eocd-ambiguous", "",
             fmt::format("bytes {} and {} both start an end record: readers see different archives", offset,
                         end_.offset),
             offset);
  }

  bool inside_data(std::uint64_t offset) const {
    const auto after = std::upper_bound(order_.begin(), order_.end(), offset,
                                        [this](std::uint64_t wanted, std::uint32_t index) {
                                          return wanted < directory_.entries[index].header_offset;
                                        });
    if (after == order_.begin()) return false;
    const ZipEntry& entry = directory_.entries[*(after - 1)];
    return offset >= entry.data_offset && offset - entry.data_offset < entry.compressed_size;
  }

  bool finds_directory(std::uint64_t offset) {
    ByteReader reader(window_.at(offset, kEndSize), offset);
    reader.skip(10, "end record");
    const auto entries = reader.le<std::uint16_t>("end record entries");
    const auto size = reader.le<std::uint32_t>("end record directory size");
    const auto start = reader.le<std::uint32_t>("end record directory offset");
    if (entries == 0 || std::uint64_t{start} + size > offset || size < entries * kCentralSize) return false;
    return ByteReader(window_.at(start, 4), start).le<std::uint32_t>("directory signature") ==
           kCentralSignature;
  }

  const ByteSource& source_;
  Window window_;
  const EndRecord& end_;
  ZipDirectory& directory_;
  DefectLog& log_;
  std::vector<std::uint32_t> order_;  // entries by header offset
};

}  // namespace

void read_local_headers(const ByteSource& source, const EndRecord& end, ZipDirectory& directory,
                        DefectLog& log) {
  Layout(source, end, directory, log).check();
}

}  // namespace ckpt::io
