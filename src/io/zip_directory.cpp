#include "io/zip_directory.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"
#include "io/zip_internal.h"

namespace ckpt::io {
namespace {

constexpr std::size_t kDefectsOfAKind = 20;
constexpr std::uint16_t kZip64Extra = 0x0001;
constexpr std::uint16_t kUnicodePathExtra = 0x7075;
constexpr std::uint32_t kDosDirectory = 0x10;
constexpr std::uint32_t kUnixTypeMask = 0xF000;
constexpr std::uint32_t kUnixSymlink = 0xA000;

// One record of the central directory, as written.
struct Central {
  std::uint64_t offset = 0;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint16_t time = 0;
  std::uint32_t crc32 = 0;
  std::uint32_t compressed_size = 0;
  std::uint32_t size = 0;
  std::uint16_t disk = 0;
  std::uint32_t attributes = 0;
  std::uint32_t header_offset = 0;
  std::string_view name;
  std::span<const std::byte> extra;

  bool needs_zip64() const { return std::max({compressed_size, size, header_offset}) == kMarker32; }
};

Central read_central(ByteReader& reader, std::uint64_t index, std::uint64_t count) {
  Central entry;
  entry.offset = reader.offset();
  if (reader.remaining() < kCentralSize) {
    fail(ErrorCode::kCorrupt,
         fmt::format("the directory claims {}, but ends after {}", plural(count, "entry"), index),
         entry.offset);
  }
  if (reader.le<std::uint32_t>("directory entry signature") != kCentralSignature) {
    fail(ErrorCode::kCorrupt,
         fmt::format("entry {} of {} in the directory has no signature", index + 1, count), entry.offset);
  }
  reader.skip(4, "directory entry versions");
  entry.flags = reader.le<std::uint16_t>("directory entry flags");
  entry.method = reader.le<std::uint16_t>("directory entry method");
  entry.time = reader.le<std::uint16_t>("directory entry time");
  reader.skip(2, "directory entry date");
  entry.crc32 = reader.le<std::uint32_t>("directory entry crc");
  entry.compressed_size = reader.le<std::uint32_t>("directory entry compressed size");
  entry.size = reader.le<std::uint32_t>("directory entry size");
  const auto name_size = reader.le<std::uint16_t>("directory entry name length");
  const auto extra_size = reader.le<std::uint16_t>("directory entry extra length");
  const auto comment_size = reader.le<std::uint16_t>("directory entry comment length");
  entry.disk = reader.le<std::uint16_t>("directory entry disk");
  reader.skip(2, "directory entry internal attributes");
  entry.attributes = reader.le<std::uint32_t>("directory entry attributes");
  entry.header_offset = reader.le<std::uint32_t>("directory entry header offset");
  if (reader.remaining() < std::uint64_t{name_size} + extra_size + comment_size) {
    fail(ErrorCode::kCorrupt,
         fmt::format("entry {} of {} runs past the end of the directory", index + 1, count), entry.offset);
  }
  entry.name = reader.text(name_size, "directory entry name");
  entry.extra = reader.bytes(extra_size, "directory entry extra fields");
  reader.skip(comment_size, "directory entry comment");
  return entry;
}

// The content of the extra field `id`, or nullopt. `malformed` is set when the fields before it overrun.
std::optional<std::span<const std::byte>> find_extra(std::span<const std::byte> extra, std::uint16_t id,
                                                     bool& malformed) {
  ByteReader reader(extra);
  while (reader.remaining() >= 4) {
    const auto found = reader.le<std::uint16_t>("extra field id");
    const auto size = reader.le<std::uint16_t>("extra field size");
    if (size > reader.remaining()) {
      malformed = true;
      return std::nullopt;
    }
    const auto content = reader.bytes(size, "extra field");
    if (found == id) return content;
  }
  malformed = !reader.done();
  return std::nullopt;
}

// Replaces the fields that say "see the zip64 field", in the order APPNOTE 4.5.3 fixes.
void apply_zip64(const Central& central, std::span<const std::byte> field, ZipEntry& entry) {
  ByteReader reader(field, central.offset);
  const auto replace = [&](std::uint64_t& value) {
    if (value != kMarker32) return;
    if (reader.remaining() < 8) {
      fail(ErrorCode::kCorrupt, fmt::format("the zip64 field of {} is too short", display_name(entry.name)),
           central.offset);
    }
    value = reader.le<std::uint64_t>("zip64 field");
  };
  replace(entry.size);
  replace(entry.compressed_size);
  replace(entry.header_offset);
}

// What miniz rejects immediately; the DOS time is included because miniz compares 32 bits (method and time).
void require_sizes(const Central& central, const ZipEntry& entry) {
  const bool compared = central.compressed_size != kMarker32 && central.size != kMarker32;
  const bool differs = central.compressed_size != central.size;
  if (compared && entry.stored() && central.time == 0 && differs) {
    fail(ErrorCode::kCorrupt,
         fmt::format("{} is stored, but its compressed size is {} and its size {}; torch refuses the archive",
                     display_name(entry.name), entry.compressed_size, entry.size),
         central.offset);
  }
  if (entry.size != 0 && entry.compressed_size == 0) {
    fail(ErrorCode::kCorrupt,
         fmt::format("{} claims to inflate from 0 bytes to {}; torch refuses the archive",
                     display_name(entry.name), plural(entry.size, "byte")),
         central.offset);
  }
}

void require_range_of(const Central& central, const ZipEntry& entry, const EndRecord& end,
                      std::uint64_t file_size) {
  if (central.disk == kMarker16 || (central.disk != end.disk && central.disk != 1)) {
    fail(ErrorCode::kCorrupt,
         fmt::format("{} is marked as being on disk {}; an archive must be a single file",
                     display_name(entry.name), central.disk),
         central.offset);
  }
  const auto header_end = checked_add(entry.header_offset, kLocalSize);
  const auto data_end = header_end ? checked_add(*header_end, entry.compressed_size) : std::nullopt;
  if (!data_end || *data_end > file_size) {
    fail(ErrorCode::kTruncated,
         fmt::format("{} should be {} at byte {}, but the file has {}; copy or save it again",
                     display_name(entry.name), plural(entry.compressed_size, "byte"), entry.header_offset,
                     plural(file_size, "byte")),
         central.offset);
  }
}

void check_flags(const Central& central, const ZipEntry& entry, DefectLog& log) {
  if ((entry.flags & kFlagsUnreadable) != 0) {
    log.add("zip-encrypted", entry.name,
            fmt::format("{} is marked as encrypted or patched (flags {:#06x}); torch refuses it",
                        display_name(entry.name), entry.flags),
            central.offset);
  }
  if (entry.method != 0 && entry.method != 8) {
    log.add("zip-method-unsupported", entry.name,
            fmt::format("{} is compressed with method {}; only 0 (stored) and 8 (deflated) can be read",
                        display_name(entry.name), entry.method),
            central.offset);
  }
}

void check_attributes(const Central& central, const ZipEntry& entry, DefectLog& log) {
  const bool directory_name = entry.name.ends_with('/');
  if ((central.attributes & kDosDirectory) != 0 && !directory_name) {
    log.add("zip-dir-attribute", entry.name,
            fmt::format("{} is marked as a directory: torch uses uninitialized memory for it",
                        display_name(entry.name)),
            central.offset);
  }
  if (directory_name && entry.size != 0) {
    log.add("zip-dir-attribute", entry.name,
            fmt::format("{} has the name of a directory, but holds {}", display_name(entry.name),
                        plural(entry.size, "byte")),
            central.offset);
  }
  if ((central.attributes >> 16 & kUnixTypeMask) == kUnixSymlink) {
    log.add("zip-symlink", entry.name,
            fmt::format("{} is a symbolic link, which is never followed", display_name(entry.name)),
            central.offset);
  }
}

// Info-ZIP's second name for an entry (APPNOTE 4.6.9): libzip and unzip use it, torch does not.
void check_unicode_path(const Central& central, const ZipEntry& entry, DefectLog& log) {
  bool malformed = false;
  const auto field = find_extra(central.extra, kUnicodePathExtra, malformed);
  if (malformed) {
    log.add("zip-layout", entry.name,
            fmt::format("the extra fields of {} do not add up to their length", display_name(entry.name)),
            central.offset);
  }
  if (!field) return;
  const std::string_view text(reinterpret_cast<const char*>(field->data()), field->size());
  const std::string_view name = text.substr(std::min<std::size_t>(5, text.size()));  // after version and CRC
  if (name == entry.name) return;
  log.add("zip-name-ambiguous", entry.name,
          fmt::format("{} has a second name, {}, which some readers use instead", display_name(entry.name),
                      display_name(name)),
          central.offset);
}

ZipEntry to_entry(const Central& central, const EndRecord& end, std::uint64_t file_size, DefectLog& log) {
  ZipEntry entry;
  entry.name = central.name;
  entry.header_offset = central.header_offset;
  entry.compressed_size = central.compressed_size;
  entry.size = central.size;
  entry.crc32 = central.crc32;
  entry.method = central.method;
  entry.flags = central.flags;
  if (central.needs_zip64()) {
    bool malformed = false;
    const auto field = find_extra(central.extra, kZip64Extra, malformed);
    if (field) apply_zip64(central, *field, entry);
    if (malformed) {
      fail(
          ErrorCode::kCorrupt,
          fmt::format("{} needs a zip64 field, but its extra fields are malformed", display_name(entry.name)),
          central.offset);
    }
  }
  require_sizes(central, entry);
  require_range_of(central, entry, end, file_size);
  if (entry.stored() && entry.size != entry.compressed_size) {
    log.add(
        "zip-size-mismatch", entry.name,
        fmt::format(
            "{} is stored, but its compressed size is {} and its size {}; torch reads {}, other readers {}",
            display_name(entry.name), entry.compressed_size, entry.size, entry.size, entry.compressed_size),
        central.offset);
  }
  check_flags(central, entry, log);
  check_attributes(central, entry, log);
  if (!central.extra.empty()) check_unicode_path(central, entry, log);
  return entry;
}

void require_limits(const EndRecord& end, const Limits& limits) {
  if (end.entries > limits.zip_entries) {
    fail(
        ErrorCode::kLimit,
        fmt::format("the archive has {} entries, more than the limit of {}", end.entries, limits.zip_entries),
        end.offset);
  }
  if (end.directory_size > limits.zip_directory_bytes) {
    fail(ErrorCode::kLimit,
         fmt::format("the archive's directory has {}, more than the limit of {}",
                     format_bytes(end.directory_size), format_bytes(limits.zip_directory_bytes)),
         end.offset);
  }
}

void read_entries(const EndRecord& end, std::uint64_t file_size, ZipDirectory& directory, DefectLog& log) {
  ByteReader reader(directory.bytes, end.directory_offset);
  directory.entries.reserve(end.entries);
  for (std::uint64_t i = 0; i < end.entries; ++i) {
    directory.entries.push_back(to_entry(read_central(reader, i, end.entries), end, file_size, log));
  }
  if (!reader.done()) {
    log.add("zip-layout", "",
            fmt::format("the directory has {} after its {}: entries may be hidden there",
                        plural(reader.remaining(), "byte"), plural(end.entries, "declared entry")),
            reader.offset());
  }
}

}  // namespace

std::string display_name(std::string_view name) { return quote(abbreviate(name, 120)); }

void DefectLog::add(std::string_view code, std::string_view entry, std::string text, std::uint64_t offset) {
  auto count =
      std::find_if(counts_.begin(), counts_.end(), [&](const auto& item) { return item.first == code; });
  if (count == counts_.end()) count = counts_.insert(counts_.end(), {std::string(code), 0});
  ++count->second;
  if (count->second > kDefectsOfAKind) return;
  defects_.push_back({std::string(code), std::string(entry), std::move(text), offset});
}

void DefectLog::finish() {
  for (const auto& [code, count] : counts_) {
    if (count <= kDefectsOfAKind) continue;
    defects_.push_back({code, "", fmt::format("{} more of this kind", count - kDefectsOfAKind), 0});
  }
}

const ZipEntry* ZipDirectory::find(std::string_view name) const {
  const auto found = std::lower_bound(
      by_name.begin(), by_name.end(), name,
      [this](std::uint32_t index, std::string_view wanted) { return entries[index].name < wanted; });
  if (found == by_name.end() || entries[*found].name != name) return nullptr;
  return &entries[*found];
}

bool looks_like_zip(std::span<const std::byte> head) {
  static constexpr unsigned char kMagic[4] = {'P', 'K', 3, 4};
  return head.size() >= sizeof(kMagic) && std::memcmp(head.data(), kMagic, sizeof(kMagic)) == 0;
}

ZipDirectory read_zip_directory(const ByteSource& source, const Limits& limits) {
  ZipDirectory directory;
  DefectLog log(directory.defects);
  const EndRecord end = find_end_record(source, log);
  require_limits(end, limits);
  directory.bytes.resize(end.directory_size);
  source.read(end.directory_offset, directory.bytes);
  read_entries(end, source.size(), directory, log);
  check_names(directory, limits, log);
  read_local_headers(source, end, directory, log);
  log.finish();
  return directory;
}

}  // namespace ckpt::io
