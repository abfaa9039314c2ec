// One archive a row, wrong in one place: which defect the directory reader finds, or which error.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/zip_archive.h"
#include "io/zip_directory.h"
#include "tests/support/zip_builder.h"

using namespace ckpt;
using namespace ckpt::io;
using namespace ckpt::test;

namespace {

using Records = std::vector<ZipRecord>;

ZipDirectory directory_of(const std::string& zip) {
  return read_zip_directory(*memory_source(to_bytes(zip)), Limits{});
}

std::set<std::string> codes_of(const ZipDirectory& directory) {
  std::set<std::string> codes;
  for (const auto& defect : directory.defects) codes.insert(defect.code);
  return codes;
}

std::string joined(const std::set<std::string>& codes) {
  std::string out;
  for (const auto& code : codes) out += (out.empty() ? "" : " ") + code;
  return out;
}

// The codes of all defects, or "error: " and the code of the error.
std::string verdict(const std::string& zip) {
  try {
    return joined(codes_of(directory_of(zip)));
  } catch (const Error& error) {
    CHECK(error.text().find('\n') == std::string::npos);
    return "error: " + std::string(to_string(error.code()));
  }
}

// data.pkl, byteorder, data/0, version, .data/serialization_id
Records healthy() { return torch_records(std::string(100, 'p'), {std::string(64, 's')}); }

ZipRecord record(std::string name, std::string data) {
  ZipRecord out;
  out.name = std::move(name);
  out.data = std::move(data);
  return out;
}

struct Row {
  std::string what, verdict;
  std::function<void(Records&, ZipOptions&)> change;
};

void check_table(const std::vector<Row>& table) {
  for (const Row& row : table) {
    CAPTURE(row.what);
    Records records = healthy();
    ZipOptions options;
    row.change(records, options);
    CHECK(verdict(build_zip(records, options)) == row.verdict);
  }
}

// The smallest further archive that lists one entry: directory and end record, with absolute offsets.
std::string second_directory(std::string_view name, std::uint64_t header_offset, std::uint64_t at) {
  ZipRecord entry = record(std::string(name), std::string(100, 'p'));
  entry.in_file = false;
  entry.header_offset = header_offset;
  ZipOptions options = plain_options();
  options.end.directory_offset = at;
  return build_zip({entry}, options);
}

}  // namespace

TEST_CASE("what torch writes has no defects") {
  check_table({
      {"torch.save", "", [](Records&, ZipOptions&) {}},
      {"an empty storage", "", [](Records& r, ZipOptions&) { r[2].data.clear(); }},
      {"alignment 4096", "", [](Records&, ZipOptions& o) { o.alignment = 4096; }},
      {"deflated code", "", [](Records& r, ZipOptions&) { r[0].method = 8; }},
      {"CRC 0, checksums switched off", "", [](Records& r, ZipOptions&) { for (auto& e : r) e.crc32 = 0; }},
      {"a small record with a zip64 field", "", [](Records& r, ZipOptions&) { r[2].zip64 = true; }},
      {"torch's own zip64 field in the local header", "", [](Records& r, ZipOptions&) {
         r[2].zip64 = true;
         r[2].local.extra = extra_field(1, little_endian(64, 8) + little_endian(0, 8)) + extra_field(0x4246, "ZZ");
       }},
      {"directory order is not file order", "", [](Records&, ZipOptions& o) { o.directory_order = {3, 1, 4, 0, 2}; }},
      {"no zip64 end record", "", [](Records&, ZipOptions& o) { o.zip64_end = false; }},
      {"a name that is not ASCII", "", [](Records& r, ZipOptions&) { for (auto& e : r) e.name = "uni_\xC3\xA4/" + e.name; }},
      {"a name with blanks and signs", "", [](Records& r, ZipOptions&) { for (auto& e : r) e.name = "epoch=3 {\"a\"}/" + e.name; }},
      {"an archive comment", "", [](Records&, ZipOptions& o) { o.comment = "made by hand"; }},
      {"disk number 1 of 1", "", [](Records& r, ZipOptions& o) {
         for (auto& e : r) e.disk = 1;
         o.zip64_end = false;
         o.end.disk = o.end.directory_disk = 1;
       }},
      {"a record edited in place: its descriptor has the old CRC", "", [](Records& r, ZipOptions&) {
         r[0].descriptor = little_endian(0x08074b50, 4) + little_endian(1, 4) + little_endian(100, 4) + little_endian(100, 4);
       }},
      {"a descriptor without its signature", "", [](Records& r, ZipOptions&) {
         r[0].descriptor = little_endian(crc32_of(r[0].data), 4) + little_endian(100, 4) + little_endian(100, 4);
       }},
      {"no entries", "", [](Records& r, ZipOptions&) { r.clear(); }},
      {"a gap between two entries", "", [](Records& r, ZipOptions&) { r[1].in_directory = false; }},
  });
}

TEST_CASE("re-zipped checkpoints have no defects") {
  const auto plain = [](std::uint16_t method, bool folder, bool extras) {
    Records records = healthy();
    if (folder) records.insert(records.begin(), record("archive/", ""));
    for (auto& e : records) {
      e = plain_record(e);
      if (!e.data.empty()) e.method = method;
      if (!extras) continue;
      e.local.extra = extra_field(0x5455, std::string("\3abcdefgh", 9)) + extra_field(0x7875, std::string("\1\4abcd\4efgh", 11));
      e.extra = extra_field(0x5455, std::string("\3abcd", 5)) + extra_field(0x7875, std::string("\1\4abcd\4efgh", 11));
    }
    return build_zip(records, plain_options());
  };
  CHECK(verdict(plain(0, false, false)).empty());  // Python zipfile, stored
  CHECK(verdict(plain(8, false, false)).empty());  // Python zipfile, deflated
  CHECK(verdict(plain(0, true, true)).empty());    // zip -r -0
  CHECK(verdict(plain(8, true, true)).empty());    // zip -r
  // Python's zipfile writing to a pipe: descriptors, a zip64 marker in the local header
  Records streamed = healthy();
  for (auto& e : streamed) {
    e = plain_record(e);
    e.flags = 8;
    e.local.compressed_size = e.local.size = 0xFFFFFFFF;
    e.local.extra = extra_field(1, std::string(16, '\0'));
    e.descriptor = little_endian(0x08074b50, 4) + little_endian(crc32_of(e.data), 4) + little_endian(e.data.size(), 8) +
                   little_endian(e.data.size(), 8);
  }
  CHECK(verdict(build_zip(streamed, plain_options())).empty());
  // A UTF-8 name that Info-ZIP repeats in its Unicode path field
  Records named = healthy();
  for (auto& e : named) e.extra = extra_field(0x7075, "\1" + little_endian(crc32_of(e.name), 4) + e.name);
  CHECK(verdict(build_zip(named)).empty());
}

TEST_CASE("names that two readers understand differently are reported") {
  check_table({
      {"data.pkl twice", "zip-duplicate-entry", [](Records& r, ZipOptions&) { r.push_back(r[0]); }},
      {"data/0 twice", "zip-duplicate-entry", [](Records& r, ZipOptions&) { r.insert(r.begin(), r[2]); }},
      {"DATA.PKL beside data.pkl", "zip-case-insensitive", [](Records& r, ZipOptions&) { r.push_back(record("archive/DATA.PKL", "x")); }},
      {"DATA/0 beside data/0", "zip-case-insensitive", [](Records& r, ZipOptions&) { r.push_back(record("archive/DATA/0", "x")); }},
      {"only DATA.PKL: the format decides", "", [](Records& r, ZipOptions&) { r[0].name = "archive/DATA.PKL"; }},
      {"letters next to the alphabet do not fold", "", [](Records& r, ZipOptions&) {
         r.push_back(record("archive/@[", "x"));
         r.push_back(record("archive/`{", "x"));
       }},
      {"a Unicode path that swaps names", "zip-name-ambiguous", [](Records& r, ZipOptions&) {
         r[0].extra = extra_field(0x7075, "\1" + little_endian(crc32_of(r[0].name), 4) + "archive/other");
       }},
      {"a Unicode path with a wrong CRC", "zip-name-ambiguous", [](Records& r, ZipOptions&) {
         r[0].extra = extra_field(0x7075, "\1xxxxarchive/other");
       }},
      {"a Unicode path that is cut short", "zip-name-ambiguous", [](Records& r, ZipOptions&) { r[0].extra = extra_field(0x7075, "\1x"); }},
      {"another local name", "zip-header-mismatch", [](Records& r, ZipOptions&) { r[0].local.name = "archive/benign.x"; }},
      {"a local name of the same length", "zip-header-mismatch", [](Records& r, ZipOptions&) { r[0].local.name = "archive/data.pkm"; }},
      {"no local name", "zip-header-mismatch", [](Records& r, ZipOptions&) { r[0].local.name = ""; }},
  });
}

TEST_CASE("every unsafe name is reported") {
  for (const std::string& name :
       {std::string("archive/../../etc/x"), std::string("archive//etc/x"), std::string("archive\\..\\x"), std::string("archive/C:/x"),
        std::string("archive/data.pkl\0.txt", 20), std::string("archive/\xFF\xFE"), std::string("archive/a\n::error::x"),
        std::string("archive/\x1B[31mred"), std::string(), "archive/" + std::string(60000, 'n'), std::string("archive/./data.pkl"),
        std::string("/etc/passwd"), std::string(".."), std::string("archive/\xE2\x80\xAEgnp"), std::string("archive/\xC2\x9B" "1m")}) {
    CAPTURE(name.substr(0, 40));
    Records records = healthy();
    records.push_back(record(name, "x"));
    const auto directory = directory_of(build_zip(records));
    CHECK(joined(codes_of(directory)) == "zip-name-unsafe");
    for (const auto& defect : directory.defects) {
      CHECK(defect.text.find('\n') == std::string::npos);
      CHECK(defect.text.find('\x1B') == std::string::npos);
      CHECK(defect.text.size() < 300);
      CHECK(defect.entry == name);
    }
  }
}

TEST_CASE("a local header that contradicts the directory is reported") {
  std::vector<Row> table = {
      {"local method 8", "zip-header-mismatch", [](Records& r, ZipOptions&) { r[0].local.method = 8; }},
      {"local sizes 3", "zip-header-mismatch", [](Records& r, ZipOptions&) { r[0].local.size = r[0].local.compressed_size = 3; }},
      {"a local CRC of its own", "zip-header-mismatch", [](Records& r, ZipOptions&) { r[0].local.crc32 = 1; }},
      {"right local sizes", "", [](Records& r, ZipOptions&) { r[0].local.size = r[0].local.compressed_size = 100; }},
      {"a descriptor with other sizes", "zip-header-mismatch", [](Records& r, ZipOptions&) {
         r[0].descriptor = little_endian(0x08074b50, 4) + little_endian(crc32_of(r[0].data), 4) + little_endian(99, 4) + little_endian(100, 4);
       }},
      {"no descriptor", "zip-header-mismatch", [](Records& r, ZipOptions&) { r[0].descriptor = ""; }},
  };
  for (const int flag : {0x1, 0x8, 0x20, 0x40, 0x800, 0x2000}) {
    table.push_back({"one local flag", "zip-header-mismatch", [flag](Records& r, ZipOptions&) {
                       r[0].local.flags = static_cast<std::uint16_t>(0x0808 ^ flag);
                     }});
  }
  check_table(table);
}

TEST_CASE("what torch cannot or must not read is reported") {
  std::vector<Row> table = {
      {"a DOS directory attribute", "zip-dir-attribute", [](Records& r, ZipOptions&) { r[0].attributes = 0x10; }},
      {"a folder name that holds data", "zip-dir-attribute", [](Records& r, ZipOptions&) { r.push_back(record("archive/x/", "data")); }},
      {"a symbolic link", "zip-symlink", [](Records& r, ZipOptions&) {
         r.push_back(record("archive/link", "/etc/passwd"));
         r.back().attributes = 0xA1FF0000;
       }},
  };
  for (const int flag : {0x1, 0x20, 0x40, 0x2000}) {
    table.push_back({"encrypted", "zip-encrypted", [flag](Records& r, ZipOptions&) { r[0].flags = static_cast<std::uint16_t>(0x0808 | flag); }});
  }
  for (const int method : {1, 9, 12, 14, 93, 95, 99}) {
    table.push_back({"another method", "zip-method-unsupported", [method](Records& r, ZipOptions&) {
                       r[0].method = static_cast<std::uint16_t>(method);
                     }});
  }
  check_table(table);
}

TEST_CASE("sizes of stored entries follow torch, DOS time included") {
  const auto sizes = [](std::uint64_t compressed, std::uint64_t size, std::uint16_t time) {
    return [=](Records& r, ZipOptions&) {
      r[0].compressed_size = compressed;
      r[0].size = size;
      r[0].time = time;
      r[0].descriptor = little_endian(0x08074b50, 4) + little_endian(0, 4) + little_endian(compressed, 4) + little_endian(size, 4);
    };
  };
  check_table({
      {"more bytes than stored, DOS time 0", "error: corrupt", sizes(100, 150, 0)},
      {"fewer bytes than stored, DOS time 0", "error: corrupt", sizes(100, 50, 0)},
      {"nothing stored, DOS time 0", "error: corrupt", sizes(0, 100, 0)},
      {"nothing stored, DOS time 1", "error: corrupt", sizes(0, 100, 1)},
      {"50 more than stored, DOS time 1", "zip-overlap zip-size-mismatch", sizes(100, 150, 1)},
  });
  Records records = healthy();
  records[0].compressed_size = 1;
  records[0].time = 1;
  records[0].flags = 0x0800;
  records[0].local.compressed_size = 0;
  records[0].descriptor = "";
  const std::string zip = build_zip(records);
  CHECK(verdict(zip) == "zip-size-mismatch");
  const auto archive = ZipArchive::open(memory_source(to_bytes(zip)), Limits{});
  CHECK(archive->entry_source(*archive->find("archive/data.pkl"))->size() == 100);
}

TEST_CASE("entries that share bytes are reported") {
  // An entry inside the data of another: two names for the same bytes.
  Records records = healthy();
  ZipRecord inner = record("archive/inner", "abc");
  inner.flags = 0x0800;
  records[2].data = build_zip({inner}, plain_options());
  const std::string outer = build_zip(records);
  inner.in_file = false;
  inner.header_offset = outer.find(records[2].data);
  records.push_back(inner);
  CHECK(verdict(build_zip(records)) == "zip-eocd-ambiguous zip-overlap");

  // Five hundred names for one compressed kernel (Fifield's bomb): a screenful of defects.
  records = healthy();
  records[0].method = 8;
  records[0].data.assign(1 << 20, '\0');
  for (int i = 0; i < 500; ++i) {
    records.push_back(records[0]);
    records.back().in_file = false;
    records.back().header_offset = 0;
    records.back().name = "archive/data/" + std::to_string(i + 1);
  }
  const auto directory = directory_of(build_zip(records));
  CHECK(joined(codes_of(directory)) == "zip-header-mismatch zip-overlap");
  CHECK(directory.defects.size() == 42);
  CHECK(directory.defects.back().text == "480 more of this kind");

  // The last entry runs over the directory, but ends inside the file.
  records = healthy();
  records.back().compressed_size = records.back().size = 200;
  records.back().flags = 0x0800;
  records.back().local.size = records.back().local.compressed_size = 0;
  CHECK(verdict(build_zip(records)) == "zip-overlap");
}

TEST_CASE("an end record that two readers would not agree on is reported") {
  check_table({
      {"zip64 end record: one entry, end record: five", "zip-eocd-ambiguous zip-layout", [](Records&, ZipOptions& o) {
         o.end64.entries = o.end64.entries_here = 1;
       }},
      {"other directory offset in the zip64 end record", "error: corrupt", [](Records&, ZipOptions& o) { o.end64.directory_offset = 0; }},
      {"the end record leaves all to zip64", "", [](Records&, ZipOptions& o) {
         o.end.entries = o.end.entries_here = 0xFFFF;
         o.end.directory_size = o.end.directory_offset = 0xFFFFFFFF;
       }},
      {"a locator that points elsewhere", "zip-eocd-ambiguous zip-layout", [](Records&, ZipOptions& o) { o.locator_offset = 0; }},
      {"a comment that runs past the end", "zip-eocd-ambiguous", [](Records&, ZipOptions& o) { o.comment_size = 500; }},
      {"a second end record in the comment, empty", "zip-eocd-ambiguous zip-layout zip-trailing-data", [](Records&, ZipOptions& o) {
         o.comment = build_zip({}, plain_options()) + "x";
       }},
      {"an end record signature in the comment, too late to count", "", [](Records&, ZipOptions& o) { o.comment = "PK\5\6"; }},
      {"entry count 1 of 5", "zip-layout", [](Records&, ZipOptions& o) {
         o.end.entries = o.end.entries_here = o.end64.entries = o.end64.entries_here = 1;
       }},
      {"bytes between directory and end record", "zip-layout", [](Records&, ZipOptions& o) { o.gap = std::string(100, 'g'); }},
      {"bytes in the directory after its entries", "zip-layout", [](Records&, ZipOptions& o) { o.after_directory_entries = "hidden"; }},
      {"malformed extra fields", "zip-layout", [](Records& r, ZipOptions&) { r[0].extra = "\1\2\3\4\5"; }},
      {"a zip64 end record with data behind it", "zip-layout", [](Records&, ZipOptions& o) { o.end64_record_size = 60; }},
      {"40 bytes after the end", "zip-trailing-data", [](Records&, ZipOptions& o) { o.trailing = std::string(40, 't'); }},
      {"70 kB after the end", "error: truncated", [](Records&, ZipOptions& o) { o.trailing = std::string(70000, 't'); }},
      {"a prefix with shifted offsets", "zip-leading-data", [](Records&, ZipOptions& o) { o.prefix = "PK\3\4junk"; }},
      {"a prefix with unshifted offsets", "error: corrupt", [](Records&, ZipOptions& o) {
         o.prefix = "PK\3\4junk";
         o.shift_offsets = false;
         o.zip64_end = false;
       }},
      {"the longest comment", "", [](Records&, ZipOptions& o) { o.comment = std::string(65535, 'c'); }},
  });
}

TEST_CASE("a whole second directory in the comment wins, as for torch, and is reported") {
  Records records = healthy();
  records.push_back(record("archive/evil", std::string(100, 'p')));
  records.back().in_directory = false;
  const std::string first = build_zip(records);
  const std::string second = second_directory("archive/evil", first.find("archive/evil") - 30, first.size());
  ZipOptions options;
  options.comment = second;
  const auto directory = directory_of(build_zip(records, options));
  CHECK(joined(codes_of(directory)).find("zip-eocd-ambiguous") == 0);
  REQUIRE(directory.entries.size() == 1);
  CHECK(directory.entries[0].name == "archive/evil");
}

TEST_CASE("an archive inside an archive is no second end record, unless it pretends to be the outer one") {
  Records records = healthy();
  records[2].data = build_zip(healthy());
  CHECK(verdict(build_zip(records)).empty());
  // The same with a directory that is found by absolute offsets.
  const std::string outer = build_zip(records);
  records[2].data.replace(records[2].data.size() - 22, 22,
                          little_endian(0x06054b50, 4) + std::string(4, '\0') + little_endian(5, 2) + little_endian(5, 2) +
                              little_endian(300, 4) + little_endian(outer.find("PK\1\2"), 4) + std::string(2, '\0'));
  CHECK(verdict(build_zip(records)) == "zip-eocd-ambiguous");
}

TEST_CASE("archives that torch refuses are refused") {
  check_table({
      {"entry count too high", "error: corrupt", [](Records&, ZipOptions& o) {
         o.end.entries = o.end.entries_here = o.end64.entries = o.end64.entries_here = 6;
       }},
      {"entries on this disk differ", "error: corrupt", [](Records&, ZipOptions& o) {
         o.zip64_end = false;
         o.end.entries_here = 3;
       }},
      {"directory offset past the end", "error: truncated", [](Records&, ZipOptions& o) {
         o.zip64_end = false;
         o.end.directory_offset = 100000;
       }},
      {"directory size past the end", "error: truncated", [](Records&, ZipOptions& o) {
         o.zip64_end = false;
         o.end.directory_size = 100000;
       }},
      {"disk 3 of 3", "error: corrupt", [](Records&, ZipOptions& o) {
         o.zip64_end = false;
         o.end.disk = o.end.directory_disk = 3;
       }},
      {"an entry on disk 2", "error: corrupt", [](Records& r, ZipOptions&) { r[0].disk = 2; }},
      {"an entry on disk 65535", "error: corrupt", [](Records& r, ZipOptions&) { r[0].disk = 0xFFFF; }},
      {"bad directory signature", "error: corrupt", [](Records& r, ZipOptions&) { r[1].signature = 0x02014b51; }},
      {"bad local signature", "error: corrupt", [](Records& r, ZipOptions&) { r[1].local.signature = 0x04034b51; }},
      {"entry offset past the end", "error: truncated", [](Records& r, ZipOptions&) { r[0].header_offset = 100000; }},
      {"local name length past the end", "error: truncated", [](Records& r, ZipOptions&) { r[0].local.name_size = 60000; }},
      {"local extra length past the end", "error: truncated", [](Records& r, ZipOptions&) { r[0].local.extra_size = 60000; }},
      {"directory name length past the directory", "error: corrupt", [](Records& r, ZipOptions&) { r[4].name_size = 60000; }},
      {"data past the end", "error: truncated", [](Records& r, ZipOptions&) { r[0].compressed_size = r[0].size = 100000; }},
      {"2^40 entries", "error: corrupt", [](Records&, ZipOptions& o) { o.end64.entries = o.end64.entries_here = 1ull << 40; }},
      {"a directory of 2^63 bytes", "error: corrupt", [](Records&, ZipOptions& o) { o.end64.directory_size = 1ull << 63; }},
      {"a directory at 2^64 - 16", "error: truncated", [](Records&, ZipOptions& o) { o.end64.directory_offset = ~0ull - 15; }},
      {"a locator 2^50 past the end", "error: truncated", [](Records&, ZipOptions& o) { o.locator_offset = 1ull << 50; }},
      {"two disks in the locator", "error: corrupt", [](Records&, ZipOptions& o) { o.locator_disks = 2; }},
      {"a zip64 end record of 3 bytes", "error: corrupt", [](Records&, ZipOptions& o) { o.end64_record_size = 3; }},
      {"zip64 sizes of 2^62", "error: truncated", [](Records& r, ZipOptions&) {
         r[0].zip64 = true;
         r[0].compressed_size = r[0].size = 1ull << 62;
       }},
      {"a zip64 offset of 2^64 - 20", "error: truncated", [](Records& r, ZipOptions&) {
         r[0].zip64 = true;
         r[0].header_offset = ~0ull - 19;
       }},
      {"a zip64 field too short", "error: corrupt", [](Records& r, ZipOptions&) {
         r[0].compressed_size = r[0].size = 0xFFFFFFFF;
         r[0].extra = extra_field(1, std::string(12, '\0'));
       }},
      {"a zip64 marker without its field", "error: truncated", [](Records& r, ZipOptions&) { r[0].compressed_size = r[0].size = 0xFFFFFFFF; }},
      {"a zip64 marker and malformed extra fields", "error: corrupt", [](Records& r, ZipOptions&) {
         r[0].compressed_size = r[0].size = 0xFFFFFFFF;
         r[0].extra = std::string("\1\0\xFF\xFF", 4);
       }},
  });
  CHECK(verdict("") == "error: truncated");
  CHECK(verdict("PK\3\4") == "error: truncated");
}

TEST_CASE("limits are checked before anything is allocated") {
  const auto source = memory_source(to_bytes(build_zip(healthy())));
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
