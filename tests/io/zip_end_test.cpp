// End records and directories that are wrong in one place.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "io/zip_directory.h"
#include "tests/io/zip_verdict.h"
#include "tests/support/zip_builder.h"

using namespace ckpt;
using namespace ckpt::io;
using namespace ckpt::test;

namespace {

// The smallest further archive that lists one entry: directory and end record, with absolute offsets.
std::string second_directory(std::string_view name, std::uint64_t header_offset, std::uint64_t at) {
  ZipRecord entry = simple_record(std::string(name), std::string(100, 'p'));
  entry.in_file = false;
  entry.header_offset = header_offset;
  ZipOptions options = plain_options();
  options.end.directory_offset = at;
  return build_zip({entry}, options);
}

}  // namespace

TEST_CASE("an end record that two readers would not agree on is reported") {
  check_zip_table({
      {"zip64 end record: one entry, end record: five", "zip-eocd-ambiguous zip-layout",
       [](Records&, ZipOptions& o) { o.end64.entries = o.end64.entries_here = 1; }},
      {"other directory offset in the zip64 end record", "error: corrupt",
       [](Records&, ZipOptions& o) { o.end64.directory_offset = 0; }},
      {"the end record leaves all to zip64", "",
       [](Records&, ZipOptions& o) {
         o.end.entries = o.end.entries_here = 0xFFFF;
         o.end.directory_size = o.end.directory_offset = 0xFFFFFFFF;
       }},
      {"a locator that points elsewhere", "zip-eocd-ambiguous zip-layout",
       [](Records&, ZipOptions& o) { o.locator_offset = 0; }},
      {"a comment that runs past the end", "zip-eocd-ambiguous",
       [](Records&, ZipOptions& o) { o.comment_size = 500; }},
      {"a second end record in the comment, empty", "zip-eocd-ambiguous zip-layout zip-trailing-data",
       [](Records&, ZipOptions& o) { o.comment = build_zip({}, plain_options()) + "x"; }},
      {"an end record signature in the comment, too late to count", "",
       [](Records&, ZipOptions& o) { o.comment = "PK\5\6"; }},
      {"entry count 1 of 5", "zip-layout",
       [](Records&, ZipOptions& o) {
         o.end.entries = o.end.entries_here = o.end64.entries = o.end64.entries_here = 1;
       }},
      {"bytes between directory and end record", "zip-layout",
       [](Records&, ZipOptions& o) { o.gap = std::string(100, 'g'); }},
      {"bytes in the directory after its entries", "zip-layout",
       [](Records&, ZipOptions& o) { o.after_directory_entries = "hidden"; }},
      {"malformed extra fields", "zip-layout", [](Records& r, ZipOptions&) { r[0].extra = "\1\2\3\4\5"; }},
      {"a zip64 end record with data behind it", "zip-layout",
       [](Records&, ZipOptions& o) { o.end64_record_size = 60; }},
      {"40 bytes after the end", "zip-trailing-data",
       [](Records&, ZipOptions& o) { o.trailing = std::string(40, 't'); }},
      {"70 kB after the end", "error: truncated",
       [](Records&, ZipOptions& o) { o.trailing = std::string(70000, 't'); }},
      {"a prefix with shifted offsets", "zip-leading-data",
       [](Records&, ZipOptions& o) { o.prefix = "PK\3\4junk"; }},
      {"a prefix with unshifted offsets", "error: corrupt",
       [](Records&, ZipOptions& o) {
         o.prefix = "PK\3\4junk";
         o.shift_offsets = false;
         o.zip64_end = false;
       }},
      {"the longest comment, where torch's search fails", "zip-layout",
       [](Records&, ZipOptions& o) { o.comment = std::string(65535, 'c'); }},
  });
}

TEST_CASE("a whole second directory in the comment wins, as for torch, and is reported") {
  Records records = healthy_records();
  records.push_back(simple_record("archive/evil", std::string(100, 'p')));
  records.back().in_directory = false;
  const std::string first = build_zip(records);
  const std::string second = second_directory("archive/evil", first.find("archive/evil") - 30, first.size());
  ZipOptions options;
  options.comment = second;
  const auto directory = directory_of(build_zip(records, options));
  CHECK(codes_of(directory).find("zip-eocd-ambiguous") == 0);
  REQUIRE(directory.entries.size() == 1);
  CHECK(directory.entries[0].name == "archive/evil");
}

TEST_CASE("an archive inside an archive is no second end record, unless it pretends to be the outer one") {
  Records records = healthy_records();
  records[2].data = build_zip(healthy_records());
  CHECK(verdict(build_zip(records)).empty());
  // The same with a directory that is found by absolute offsets.
  const std::string outer = build_zip(records);
  records[2].data.replace(records[2].data.size() - 22, 22,
                          little_endian(0x06054b50, 4) + std::string(4, '\0') + little_endian(5, 2) +
                              little_endian(5, 2) + little_endian(300, 4) +
                              little_endian(outer.find("PK\1\2"), 4) + std::string(2, '\0'));
  CHECK(verdict(build_zip(records)) == "zip-eocd-ambiguous");
}

TEST_CASE("archives that torch refuses are refused") {
  check_zip_table({
      {"entry count too high", "error: corrupt",
       [](Records&, ZipOptions& o) {
         o.end.entries = o.end.entries_here = o.end64.entries = o.end64.entries_here = 6;
       }},
      {"entries on this disk differ", "error: corrupt",
       [](Records&, ZipOptions& o) {
         o.zip64_end = false;
         o.end.entries_here = 3;
       }},
      {"directory offset past the end", "error: truncated",
       [](Records&, ZipOptions& o) {
         o.zip64_end = false;
         o.end.directory_offset = 100000;
       }},
      {"directory size past the end", "error: truncated",
       [](Records&, ZipOptions& o) {
         o.zip64_end = false;
         o.end.directory_size = 100000;
       }},
      {"disk 3 of 3", "error: corrupt",
       [](Records&, ZipOptions& o) {
         o.zip64_end = false;
         o.end.disk = o.end.directory_disk = 3;
       }},
      {"an entry on disk 2", "error: corrupt", [](Records& r, ZipOptions&) { r[0].disk = 2; }},
      {"an entry on disk 65535", "error: corrupt", [](Records& r, ZipOptions&) { r[0].disk = 0xFFFF; }},
      {"bad directory signature", "error: corrupt",
       [](Records& r, ZipOptions&) { r[1].signature = 0x02014b51; }},
      {"bad local signature", "error: corrupt",
       [](Records& r, ZipOptions&) { r[1].local.signature = 0x04034b51; }},
      {"entry offset past the end", "error: truncated",
       [](Records& r, ZipOptions&) { r[0].header_offset = 100000; }},
      {"local name length past the end", "error: truncated",
       [](Records& r, ZipOptions&) { r[0].local.name_size = 60000; }},
      {"local extra length past the end", "error: truncated",
       [](Records& r, ZipOptions&) { r[0].local.extra_size = 60000; }},
      {"directory name length past the directory", "error: corrupt",
       [](Records& r, ZipOptions&) { r[4].name_size = 60000; }},
      {"data past the end", "error: truncated",
       [](Records& r, ZipOptions&) { r[0].compressed_size = r[0].size = 100000; }},
      {"2^40 entries", "error: corrupt",
       [](Records&, ZipOptions& o) { o.end64.entries = o.end64.entries_here = 1ull << 40; }},
      {"a directory of 2^63 bytes", "error: corrupt",
       [](Records&, ZipOptions& o) { o.end64.directory_size = 1ull << 63; }},
      {"a directory at 2^64 - 16", "error: truncated",
       [](Records&, ZipOptions& o) { o.end64.directory_offset = ~0ull - 15; }},
      {"a locator 2^50 past the end", "error: truncated",
       [](Records&, ZipOptions& o) { o.locator_offset = 1ull << 50; }},
      {"two disks in the locator", "error: corrupt", [](Records&, ZipOptions& o) { o.locator_disks = 2; }},
      {"a zip64 end record of 3 bytes", "error: corrupt",
       [](Records&, ZipOptions& o) { o.end64_record_size = 3; }},
      {"zip64 sizes of 2^62", "error: truncated",
       [](Records& r, ZipOptions&) {
         r[0].zip64 = true;
         r[0].compressed_size = r[0].size = 1ull << 62;
       }},
      {"a zip64 offset of 2^64 - 20", "error: truncated",
       [](Records& r, ZipOptions&) {
         r[0].zip64 = true;
         r[0].header_offset = ~0ull - 19;
       }},
      {"a zip64 field too short", "error: corrupt",
       [](Records& r, ZipOptions&) {
         r[0].compressed_size = r[0].size = 0xFFFFFFFF;
         r[0].extra = extra_field(1, std::string(12, '\0'));
       }},
      {"a zip64 marker without its field", "error: truncated",
       [](Records& r, ZipOptions&) { r[0].compressed_size = r[0].size = 0xFFFFFFFF; }},
      {"a zip64 marker and malformed extra fields", "error: corrupt",
       [](Records& r, ZipOptions&) {
         r[0].compressed_size = r[0].size = 0xFFFFFFFF;
         r[0].extra = std::string("\1\0\xFF\xFF", 4);
       }},
  });
  CHECK(verdict("") == "error: truncated");
  CHECK(verdict("PK\3\4") == "error: truncated");
}

TEST_CASE("limits are checked before anything is allocated") {
  const auto source = memory_source(to_bytes(build_zip(healthy_records())));
  Limits entries;
  entries.zip_entries = 4;
  Limits bytes;
  bytes.zip_directory_bytes = 100;
  for (const Limits& limits : {entries, bytes}) {
    try {
      read_zip_directory(*source, limits);
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::kLimit);
    }
  }
}
