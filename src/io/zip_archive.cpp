#include "io/zip_archive.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/error.h"
#include "base/text.h"
#include "io/inflate_source.h"
#include "io/zip_internal.h"
#include "io/zip_libzip.h"

namespace ckpt::io {
namespace {

constexpr std::string_view kDiffers = "zip-libzip-differs";
constexpr std::size_t kManyEntries = 10'000;

void differ(DefectLog& log, const ZipEntry& entry, std::string_view what, std::uint64_t theirs,
            std::uint64_t ours) {
  if (theirs == ours) return;
  log.add(kDiffers, entry.name,
          fmt::format("{}: libzip sees {} {}, torch sees {}", display_name(entry.name), what, theirs, ours),
          entry.header_offset);
}

void compare_entry(const ZipEntry& entry, const ListedEntry& listed, DefectLog& log) {
  if (listed.name != entry.name) {
    log.add(kDiffers, entry.name,
            fmt::format("libzip sees the name {} where torch sees {}", display_name(listed.name),
                        display_name(entry.name)),
            entry.header_offset);
  }
  differ(log, entry, "compressed size", listed.compressed_size, entry.compressed_size);
  differ(log, entry, "size", listed.size, entry.size);
  differ(log, entry, "crc", listed.crc32, entry.crc32);
  differ(log, entry, "method", listed.method, entry.method);
}

void compare(const SourcePtr& source, const std::vector<ZipEntry>& entries, DefectLog& log) {
  std::string problem;
  const auto libzip = Libzip::open(source, problem);
  if (!libzip) {
    log.add(kDiffers, "",
            fmt::format("libzip rejects the archive ({}), torch reads {}", one_line(problem),
                        plural(entries.size(), "entry")),
            0);
    return;
  }
  if (libzip->count() != entries.size()) {
    log.add(kDiffers, "",
            fmt::format("libzip sees {}, torch sees {}", plural(libzip->count(), "entry"), entries.size()),
            0);
  }
  const std::uint64_t both = std::min<std::uint64_t>(libzip->count(), entries.size());
  for (std::uint64_t i = 0; i < both; ++i) {
    if (const auto listed = libzip->entry(i)) {
      compare_entry(entries[i], *listed, log);
    } else {
      log.add(kDiffers, entries[i].name,
              fmt::format("libzip cannot describe {}", display_name(entries[i].name)),
              entries[i].header_offset);
    }
  }
}

// libzip needs a few hundred bytes per entry; without this they stay with the process.
void return_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

// The position of `entry` in the directory. Callers may hold a copy, so its address means nothing.
std::uint64_t index_of(const ZipDirectory& directory, const ZipEntry& entry) {
  const auto& entries = directory.entries;
  auto found = std::lower_bound(
      directory.by_name.begin(), directory.by_name.end(), entry.name,
      [&](std::uint32_t index, std::string_view name) { return entries[index].name < name; });
  while (found != directory.by_name.end() && entries[*found].name == entry.name) {
    if (entries[*found].header_offset == entry.header_offset) return *found;
    ++found;
  }
  fail(ErrorCode::kCorrupt, fmt::format("{} is not an entry of this archive", display_name(entry.name)));
}

}  // namespace

ZipArchive::ZipArchive(SourcePtr source, ZipDirectory directory, const Limits& limits)
    : source_(std::move(source)),
      directory_(std::move(directory)),
      inflater_(std::make_shared<Inflater>(source_, limits)) {}

ZipArchive::~ZipArchive() = default;

std::shared_ptr<const ZipArchive> ZipArchive::open(SourcePtr source, const Limits& limits) {
  ZipDirectory directory = read_zip_directory(*source, limits);
  DefectLog log(directory.defects);
  compare(source, directory.entries, log);
  log.finish();
  if (directory.entries.size() > kManyEntries) return_memory();
  return std::shared_ptr<const ZipArchive>(new ZipArchive(std::move(source), std::move(directory), limits));
}

SourcePtr ZipArchive::entry_source(const ZipEntry& entry) const {
  if ((entry.flags & kFlagsUnreadable) != 0) {
    fail(ErrorCode::kUnsupported,
         fmt::format("{} is encrypted or patched; save the checkpoint without encryption",
                     display_name(entry.name)),
         entry.header_offset);
  }
  if (entry.stored()) return slice_source(source_, entry.data_offset, entry.size);
  if (entry.method != 8) {
    fail(ErrorCode::kUnsupported,
         fmt::format("{} is compressed with method {}; save the checkpoint with torch, or zip it stored",
                     display_name(entry.name), entry.method),
         entry.header_offset);
  }
  return inflate_source(inflater_, {std::string(entry.name), index_of(directory_, entry), entry.header_offset,
                                    entry.compressed_size, entry.size, entry.crc32});
}

}  // namespace ckpt::io
