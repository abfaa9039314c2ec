// Entries that are wrong in one place: which defect the directory reader finds, or which error.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "io/zip_archive.h"
#include "io/zip_directory.h"
#include "tests/io/zip_verdict.h"
#include "tests/support/zip_builder.h"

using namespace ckpt;
using namespace ckpt::io;
using namespace ckpt::test;

TEST_CASE("what torch writes has no defects") {
  check_zip_table({
      {"torch.save", "", [](Records&, ZipOptions&) {}},
      {"an empty storage", "", [](Records& r, ZipOptions&) { r[2].data.clear(); }},
      {"alignment 4096", "", [](Records&, ZipOptions& o) { o.alignment = 4096; }},
      {"deflated code", "", [](Records& r, ZipOptions&) { r[0].method = 8; }},
      {"CRC 0, checksums switched off", "",
       [](Records& r, ZipOptions&) {
         for (auto& e : r) e.crc32 = 0;
       }},
      {"a small record with a zip64 field", "", [](Records& r, ZipOptions&) { r[2].zip64 = true; }},
      {"torch's own zip64 field in the local header", "",
       [](Records& r, ZipOptions&) {
         r[2].zip64 = true;
         r[2].local.extra =
             extra_field(1, little_endian(64, 8) + little_endian(0, 8)) + extra_field(0x4246, "ZZ");
       }},
      {"directory order is not file order", "",
       [](Records&, ZipOptions& o) {
         o.directory_order = {3, 1, 4, 0, 2};
       }},
      {"no zip64 end record", "", [](Records&, ZipOptions& o) { o.zip64_end = false; }},
      {"a name that is not ASCII", "",
       [](Records& r, ZipOptions&) {
         for (auto& e : r) e.name = "uni_\xC3\xA4/" + e.name;
       }},
      {"a name with blanks and signs", "",
       [](Records& r, ZipOptions&) {
         for (auto& e : r) e.name = "epoch=3 {\"a\"}/" + e.name;
       }},
      {"an archive comment", "", [](Records&, ZipOptions& o) { o.comment = "made by hand"; }},
      {"disk number 1 of 1", "",
       [](Records& r, ZipOptions& o) {
         for (auto& e : r) e.disk = 1;
         o.zip64_end = false;
         o.end.disk = o.end.directory_disk = 1;
       }},
      {"a record edited in place: its descriptor has the old CRC", "",
       [](Records& r, ZipOptions&) {
         r[0].descriptor = little_endian(0x08074b50, 4) + little_endian(1, 4) + little_endian(100, 4) +
                           little_endian(100, 4);
       }},
      {"a descriptor without its signature", "",
       [](Records& r, ZipOptions&) {
         r[0].descriptor =
             little_endian(crc32_of(r[0].data), 4) + little_endian(100, 4) + little_endian(100, 4);
       }},
      {"no entries", "", [](Records& r, ZipOptions&) { r.clear(); }},
      {"a gap between two entries", "", [](Records& r, ZipOptions&) { r[1].in_directory = false; }},
  });
}

TEST_CASE("re-zipped checkpoints have no defects") {
  const auto plain = [](std::uint16_t method, bool folder, bool extras) {
    Records records = healthy_records();
    if (folder) records.insert(records.begin(), simple_record("archive/", ""));
    for (auto& e : records) {
      e = plain_record(e);
      if (!e.data.empty()) e.method = method;
      if (!extras) continue;
      e.local.extra = extra_field(0x5455, std::string("\3abcdefgh", 9)) +
                      extra_field(0x7875, std::string("\1\4abcd\4efgh", 11));
      e.extra = extra_field(0x5455, std::string("\3abcd", 5)) +
                extra_field(0x7875, std::string("\1\4abcd\4efgh", 11));
    }
    return build_zip(records, plain_options());
  };
  CHECK(verdict(plain(0, false, false)).empty());  // Python zipfile, stored
  CHECK(verdict(plain(8, false, false)).empty());  // Python zipfile, deflated
  CHECK(verdict(plain(0, true, true)).empty());    // zip -r -0
  CHECK(verdict(plain(8, true, true)).empty());    // zip -r
  // Python's zipfile writing to a pipe: descriptors, a zip64 marker in the local header
  Records streamed = healthy_records();
  for (auto& e : streamed) {
    e = plain_record(e);
    e.flags = 8;
    e.local.compressed_size = e.local.size = 0xFFFFFFFF;
    e.local.extra = extra_field(1, std::string(16, '\0'));
    e.descriptor = little_endian(0x08074b50, 4) + little_endian(crc32_of(e.data), 4) +
                   little_endian(e.data.size(), 8) + little_endian(e.data.size(), 8);
  }
  CHECK(verdict(build_zip(streamed, plain_options())).empty());
  // A UTF-8 name that Info-ZIP repeats in its Unicode path field
  Records named = healthy_records();
  for (auto& e : named) e.extra = extra_field(0x7075, "\1" + little_endian(crc32_of(e.name), 4) + e.name);
  CHECK(verdict(build_zip(named)).empty());
}

TEST_CASE("names that two readers understand differently are reported") {
  check_zip_table({
      {"data.pkl twice", "zip-duplicate-entry", [](Records& r, ZipOptions&) { r.push_back(r[0]); }},
      {"data/0 twice", "zip-duplicate-entry", [](Records& r, ZipOptions&) { r.insert(r.begin(), r[2]); }},
      {"DATA.PKL beside data.pkl", "zip-case-insensitive",
       [](Records& r, ZipOptions&) { r.push_back(simple_record("archive/DATA.PKL", "x")); }},
      {"DATA/0 beside data/0", "zip-case-insensitive",
       [](Records& r, ZipOptions&) { r.push_back(simple_record("archive/DATA/0", "x")); }},
      {"only DATA.PKL: the format decides", "",
       [](Records& r, ZipOptions&) { r[0].name = "archive/DATA.PKL"; }},
      {"letters next to the alphabet do not fold", "",
       [](Records& r, ZipOptions&) {
         r.push_back(simple_record("archive/@[", "x"));
         r.push_back(simple_record("archive/`{", "x"));
       }},
      {"a Unicode path that swaps names", "zip-name-ambiguous",
       [](Records& r, ZipOptions&) {
         r[0].extra = extra_field(0x7075, "\1" + little_endian(crc32_of(r[0].name), 4) + "archive/other");
       }},
      {"a Unicode path with a wrong CRC", "zip-name-ambiguous",
       [](Records& r, ZipOptions&) { r[0].extra = extra_field(0x7075, "\1xxxxarchive/other"); }},
      {"a Unicode path that is cut short", "zip-name-ambiguous",
       [](Records& r, ZipOptions&) { r[0].extra = extra_field(0x7075, "\1x"); }},
      {"another local name", "zip-header-mismatch",
       [](Records& r, ZipOptions&) { r[0].local.name = "archive/benign.x"; }},
      {"a local name of the same length", "zip-header-mismatch",
       [](Records& r, ZipOptions&) { r[0].local.name = "archive/data.pkm"; }},
      {"no local name", "zip-header-mismatch", [](Records& r, ZipOptions&) { r[0].local.name = ""; }},
  });
}

TEST_CASE("every unsafe name is reported") {
  for (const std::string& name :
       {std::string("archive/../../etc/x"), std::string("archive//etc/x"), std::string("archive\\..\\x"),
        std::string("archive/C:/x"), std::string("archive/data.pkl\0.txt", 20),
        std::string("archive/\xFF\xFE"), std::string("archive/a\n::error::x"),
        std::string("archive/\x1B[31mred"), std::string(), "archive/" + std::string(60000, 'n'),
        std::string("archive/./data.pkl"), std::string("/etc/passwd"), std::string(".."),
        std::string("archive/\xE2\x80\xAEgnp"),
        std::string("archive/\xC2\x9B"
                    "1m")}) {
    CAPTURE(name.substr(0, 40));
    Records records = healthy_records();
    records.push_back(simple_record(name, "x"));
    const auto directory = directory_of(build_zip(records));
    CHECK(codes_of(directory) == "zip-name-unsafe");
    for (const auto& defect : directory.defects) {
      CHECK(defect.text.find('\n') == std::string::npos);
      CHECK(defect.text.find('\x1B') == std::string::npos);
      CHECK(defect.text.size() < 300);
      CHECK(defect.entry == name);
    }
  }
}

TEST_CASE("a local header that contradicts the directory is reported") {
  std::vector<ZipRow> table = {
      {"local method 8", "zip-header-mismatch", [](Records& r, ZipOptions&) { r[0].local.method = 8; }},
      {"local sizes 3", "zip-header-mismatch",
       [](Records& r, ZipOptions&) { r[0].local.size = r[0].local.compressed_size = 3; }},
      {"a local CRC of its own", "zip-header-mismatch",
       [](Records& r, ZipOptions&) { r[0].local.crc32 = 1; }},
      {"right local sizes", "",
       [](Records& r, ZipOptions&) { r[0].local.size = r[0].local.compressed_size = 100; }},
      {"a descriptor with other sizes", "zip-header-mismatch",
       [](Records& r, ZipOptions&) {
         r[0].descriptor = little_endian(0x08074b50, 4) + little_endian(crc32_of(r[0].data), 4) +
                           little_endian(99, 4) + little_endian(100, 4);
       }},
      {"no descriptor", "zip-header-mismatch", [](Records& r, ZipOptions&) { r[0].descriptor = ""; }},
  };
  for (const int flag : {0x1, 0x8, 0x20, 0x40, 0x800, 0x2000}) {
    table.push_back({"one local flag", "zip-header-mismatch", [flag](Records& r, ZipOptions&) {
                       r[0].local.flags = static_cast<std::uint16_t>(0x0808 ^ flag);
                     }});
  }
  check_zip_table(table);
}

TEST_CASE("what torch cannot or must not read is reported") {
  std::vector<ZipRow> table = {
      {"a DOS directory attribute", "zip-dir-attribute",
       [](Records& r, ZipOptions&) { r[0].attributes = 0x10; }},
      {"a folder name that holds data", "zip-dir-attribute",
       [](Records& r, ZipOptions&) { r.push_back(simple_record("archive/x/", "data")); }},
      {"a symbolic link", "zip-symlink",
       [](Records& r, ZipOptions&) {
         r.push_back(simple_record("archive/link", "/etc/passwd"));
         r.back().attributes = 0xA1FF0000;
       }},
  };
  for (const int flag : {0x1, 0x20, 0x40, 0x2000}) {
    table.push_back({"encrypted", "zip-encrypted", [flag](Records& r, ZipOptions&) {
                       r[0].flags = static_cast<std::uint16_t>(0x0808 | flag);
                     }});
  }
  for (const int method : {1, 9, 12, 14, 93, 95, 99}) {
    table.push_back({"another method", "zip-method-unsupported", [method](Records& r, ZipOptions&) {
                       r[0].method = static_cast<std::uint16_t>(method);
                     }});
  }
  check_zip_table(table);
}

TEST_CASE("sizes of stored entries follow torch, DOS time included") {
  const auto sizes = [](std::uint64_t compressed, std::uint64_t size, std::uint16_t time) {
    return [=](Records& r, ZipOptions&) {
      r[0].compressed_size = compressed;
      r[0].size = size;
      r[0].time = time;
      r[0].descriptor = little_endian(0x08074b50, 4) + little_endian(0, 4) + little_endian(compressed, 4) +
                        little_endian(size, 4);
    };
  };
  check_zip_table({
      {"more bytes than stored, DOS time 0", "error: corrupt", sizes(100, 150, 0)},
      {"fewer bytes than stored, DOS time 0", "error: corrupt", sizes(100, 50, 0)},
      {"nothing stored, DOS time 0", "error: corrupt", sizes(0, 100, 0)},
      {"nothing stored, DOS time 1", "error: corrupt", sizes(0, 100, 1)},
      {"50 more than stored, DOS time 1", "zip-overlap zip-size-mismatch", sizes(100, 150, 1)},
  });
  Records records = healthy_records();
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
  Records records = healthy_records();
  ZipRecord inner = simple_record("archive/inner", "abc");
  inner.flags = 0x0800;
  records[2].data = build_zip({inner}, plain_options());
  const std::string outer = build_zip(records);
  inner.in_file = false;
  inner.header_offset = outer.find(records[2].data);
  records.push_back(inner);
  CHECK(verdict(build_zip(records)) == "zip-eocd-ambiguous zip-overlap");

  // Five hundred names for one compressed kernel (Fifield's bomb): a screenful of defects.
  records = healthy_records();
  records[0].method = 8;
  records[0].data.assign(1 << 20, '\0');
  for (int i = 0; i < 500; ++i) {
    records.push_back(records[0]);
    records.back().in_file = false;
    records.back().header_offset = 0;
    records.back().name = "archive/data/" + std::to_string(i + 1);
  }
  const auto directory = directory_of(build_zip(records));
  CHECK(codes_of(directory) == "zip-header-mismatch zip-overlap");
  CHECK(directory.defects.size() == 42);
  CHECK(directory.defects.back().text == "480 more of this kind");

  // The last entry runs over the directory, but ends inside the file.
  records = healthy_records();
  records.back().compressed_size = records.back().size = 200;
  records.back().flags = 0x0800;
  records.back().local.size = records.back().local.compressed_size = 0;
  CHECK(verdict(build_zip(records)) == "zip-overlap");
}
