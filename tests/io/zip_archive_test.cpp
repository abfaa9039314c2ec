// Entries as sources, and libzip's second opinion.
#include "io/zip_archive.h"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/parallel.h"
#include "tests/support/zip_builder.h"

using namespace ckpt;
using namespace ckpt::io;
using namespace ckpt::test;

namespace {

// Bytes that deflate to about a half, and in which every position can be told.
std::string pattern(std::size_t size, std::uint32_t seed = 1) {
  std::string out(size, '\0');
  for (char& c : out) {
    seed = seed * 1664525 + 1013904223;
    c = static_cast<char>('a' + (seed >> 24) % 16);
  }
  return out;
}

ZipRecord record(std::string name, std::string data, std::uint16_t method = 0) {
  ZipRecord out;
  out.name = std::move(name);
  out.data = std::move(data);
  out.method = method;
  return out;
}

std::shared_ptr<const ZipArchive> open_zip(const std::string& zip, const Limits& limits = {}) {
  return ZipArchive::open(memory_source(to_bytes(zip)), limits);
}

std::string read_text(const ByteSource& source, std::uint64_t offset, std::uint64_t size) {
  std::string out(size, '?');
  source.read(offset, std::as_writable_bytes(std::span(out.data(), out.size())));
  return out;
}

std::string read_entry(const ZipArchive& archive, std::string_view name) {
  const auto* entry = archive.find(name);
  REQUIRE(entry != nullptr);
  const auto source = archive.entry_source(*entry);
  return read_text(*source, 0, source->size());
}

template <class F>
Error error_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error");
  return Error(ErrorCode::kUsage, "");
}

std::size_t count_code(const ZipArchive& archive, std::string_view code) {
  const auto& defects = archive.defects();
  return static_cast<std::size_t>(
      std::count_if(defects.begin(), defects.end(), [&](const auto& d) { return d.code == code; }));
}

// Fails when asked for anything behind `limit`.
class FailingSource final : public ByteSource {
 public:
  FailingSource(std::string text, std::uint64_t limit)
      : inner_(memory_source(to_bytes(text))), limit_(limit) {}
  std::uint64_t size() const override { return inner_->size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (armed && offset < limit_) fail(ErrorCode::kIo, "the disk is gone");
    inner_->read(offset, out);
  }
  mutable bool armed = false;

 private:
  SourcePtr inner_;
  std::uint64_t limit_;
};

}  // namespace

TEST_CASE("the first four bytes say whether torch takes its zip path") {
  CHECK(looks_like_zip(to_bytes("PK\3\4...")));
  CHECK_FALSE(looks_like_zip(to_bytes("PK\3")));
  CHECK_FALSE(looks_like_zip(to_bytes("PK\5\6")));
  CHECK_FALSE(looks_like_zip(to_bytes("")));
}

TEST_CASE("a stored entry is a range of the file, aligned as torch aligned it") {
  const auto archive = open_zip(build_zip(torch_records("pickle", {"storage", ""})));
  CHECK(archive->defects().empty());
  CHECK(archive->entries().size() == 6);
  for (const auto& entry : archive->entries()) {
    CAPTURE(entry.name);
    CHECK(entry.data_offset % 64 == 0);
    CHECK(archive->entry_source(entry)->random_access());
  }
  CHECK(read_entry(*archive, "archive/data.pkl") == "pickle");
  CHECK(read_entry(*archive, "archive/data/0") == "storage");
  CHECK(read_entry(*archive, "archive/data/1").empty());
  CHECK(archive->find("archive/DATA.PKL") == nullptr);
  CHECK(archive->find("") == nullptr);
  const auto source = archive->entry_source(*archive->find("archive/data/0"));
  CHECK(error_of([&] { read_text(*source, 0, 8); }).code() == ErrorCode::kTruncated);
}

TEST_CASE("a deflated entry inflates front to back, and starts over when read backwards") {
  const std::string text = pattern(300'000);
  const auto archive = open_zip(build_zip({record("a/data.pkl", text, 8), record("a/x", "stored")}));
  CHECK(archive->defects().empty());
  const auto source = archive->entry_source(*archive->find("a/data.pkl"));
  CHECK_FALSE(source->random_access());
  CHECK_FALSE(source->view(0, 1));
  CHECK(source->size() == text.size());
  CHECK(read_text(*source, 0, text.size()) == text);
  CHECK(read_text(*source, 100'000, 5) == text.substr(100'000, 5));
  CHECK(read_text(*source, 250'000, 5) == text.substr(250'000, 5));
  CHECK(read_text(*source, 10, 5) == text.substr(10, 5));
  CHECK(read_text(*source, 15, 70'000) == text.substr(15, 70'000));
  CHECK(read_text(*source, 299'999, 1) == text.substr(299'999));
  CHECK(read_text(*source, 300'000, 0).empty());
  CHECK(error_of([&] { read_text(*source, 299'999, 2); }).code() == ErrorCode::kTruncated);
}

TEST_CASE("sources outlive their archive") {
  const std::string text = pattern(1000);
  auto archive = open_zip(build_zip({record("a/d", text, 8), record("a/s", text)}));
  const auto deflated = archive->entry_source(*archive->find("a/d"));
  const auto stored = archive->entry_source(*archive->find("a/s"));
  archive.reset();
  CHECK(read_text(*deflated, 0, 1000) == text);
  CHECK(read_text(*stored, 0, 1000) == text);
}

TEST_CASE("many threads may inflate many entries") {
  std::vector<ZipRecord> records;
  for (std::uint32_t i = 0; i < 300; ++i)
    records.push_back(record("a/" + std::to_string(i), pattern(20'000 + i, i), 8));
  const auto archive = open_zip(build_zip(records));
  std::vector<SourcePtr> sources;
  for (const auto& entry : archive->entries()) sources.push_back(archive->entry_source(entry));
  // All are half read before any is read on: more streams than are kept open.
  for (std::size_t i = 0; i < sources.size(); ++i)
    CHECK(read_text(*sources[i], 0, 10'000) == records[i].data.substr(0, 10'000));
  std::vector<char> same(sources.size(), 0);
  parallel_for(sources.size(), 4, [&](std::size_t i) {
    same[i] = read_text(*sources[i], 10'000, sources[i]->size() - 10'000) == records[i].data.substr(10'000);
  });
  CHECK(std::count(same.begin(), same.end(), 1) == 300);
}

TEST_CASE("of two entries with one name each has its own bytes") {
  const auto archive = open_zip(
      build_zip({record("a/data.pkl", pattern(100, 1), 8), record("a/data.pkl", pattern(100, 2), 8)}));
  CHECK(count_code(*archive, "zip-duplicate-entry") == 1);
  CHECK(archive->find("a/data.pkl") == &archive->entries()[0]);
  for (std::uint32_t i = 0; i < 2; ++i) {
    const ZipEntry copy = archive->entries()[i];
    CHECK(read_text(*archive->entry_source(copy), 0, 100) == pattern(100, i + 1));
  }
}

TEST_CASE("a deflated entry that does not keep its promise is an error with clear words") {
  const std::string text = pattern(100'000);
  const std::string stream = deflate_raw(text);
  struct Row {
    std::string what, words;
    void (*change)(ZipRecord&, const std::string&);
  };
  const std::vector<Row> table = {
      {"a broken stream", "does not inflate",
       [](ZipRecord& r, const std::string&) { r.raw = std::string(50'000, '\xFF'); }},
      {"a broken tail", "inflate",
       [](ZipRecord& r, const std::string& s) {
         r.raw = s.substr(0, s.size() / 2) + std::string(s.size() / 2, '\xFF');
       }},
      {"a stream that ends early", "inflate",
       [](ZipRecord& r, const std::string&) { r.raw = deflate_raw(pattern(90'000)); }},
      {"a stream that is cut", "inflate",
       [](ZipRecord& r, const std::string& s) { r.raw = s.substr(0, s.size() - 10); }},
      {"a stream that goes on", "more than",
       [](ZipRecord& r, const std::string&) { r.raw = deflate_raw(pattern(110'000)); }},
      {"a wrong CRC", "CRC", [](ZipRecord& r, const std::string&) { r.crc32 = 1; }},
  };
  for (const Row& row : table) {
    CAPTURE(row.what);
    ZipRecord bad = record("a/data.pkl", text, 8);
    row.change(bad, stream);
    const auto archive = open_zip(build_zip({bad}));
    const auto source = archive->entry_source(*archive->find("a/data.pkl"));
    for (int times = 0; times < 2; ++times) {
      const Error error = error_of([&] { read_text(*source, 0, source->size()); });
      CHECK(error.code() == ErrorCode::kCorrupt);
      CAPTURE(error.text());
      CHECK(error.text().find(row.words) != std::string::npos);
      CHECK(error.text().find("\"a/data.pkl\"") == 0);
    }
  }
}

TEST_CASE("the bytes of a deflated entry with a wrong CRC are there when the error comes") {
  const std::string text = pattern(100'000);
  ZipRecord bad = record("a/data.pkl", text, 8);
  bad.crc32 = 1;
  const auto archive = open_zip(build_zip({bad}));
  const auto source = archive->entry_source(archive->entries()[0]);
  std::string out(text.size(), '?');
  CHECK_THROWS_AS(source->read(0, std::as_writable_bytes(std::span(out.data(), out.size()))), Error);
  CHECK(out == text);
  CHECK(read_text(*source, 0, 99'999) == text.substr(0, 99'999));
}

TEST_CASE("a CRC field of zero means that there is none") {
  for (const std::uint16_t method : {std::uint16_t{0}, std::uint16_t{8}}) {
    CAPTURE(method);
    ZipRecord none = record("a/data.pkl", "some text", method);
    none.crc32 = 0;
    const auto archive = open_zip(build_zip({none}));
    CHECK(archive->defects().empty());
    CHECK(read_entry(*archive, "a/data.pkl") == "some text");
  }
}

TEST_CASE("a wrong CRC of a stored entry is not looked at here") {
  ZipRecord wrong = record("a/data.pkl", "some text");
  wrong.crc32 = 1;
  CHECK(read_entry(*open_zip(build_zip({wrong})), "a/data.pkl") == "some text");
}

TEST_CASE("a size that deflate cannot reach is a limit, not an allocation") {
  ZipRecord bomb = record("a/data.pkl", "x", 8);
  bomb.size = 1ull << 40;
  bomb.zip64 = true;
  const auto archive = open_zip(build_zip({bomb}));
  CHECK(error_of([&] { archive->entry_source(archive->entries()[0]); }).code() == ErrorCode::kLimit);
  const auto real = open_zip(build_zip({record("a/data.pkl", std::string(1 << 20, '\0'), 8)}));
  CHECK(read_entry(*real, "a/data.pkl") == std::string(1 << 20, '\0'));
  Limits strict;
  strict.inflate_ratio = 10;
  const auto limited = open_zip(build_zip({record("a/data.pkl", std::string(1 << 20, '\0'), 8)}), strict);
  CHECK(error_of([&] { limited->entry_source(limited->entries()[0]); }).code() == ErrorCode::kLimit);
}

TEST_CASE("encrypted entries and foreign methods are unsupported") {
  for (const int flag : {0x1, 0x20, 0x40, 0x2000}) {
    ZipRecord locked = record("a/data.pkl", "x");
    locked.flags = static_cast<std::uint16_t>(0x0808 | flag);
    const auto archive = open_zip(build_zip({locked}));
    CHECK(error_of([&] { archive->entry_source(archive->entries()[0]); }).code() == ErrorCode::kUnsupported);
  }
  for (const int method : {1, 9, 12, 99}) {
    const auto archive = open_zip(build_zip({record("a/data.pkl", "x", static_cast<std::uint16_t>(method))}));
    CHECK(error_of([&] { archive->entry_source(archive->entries()[0]); }).code() == ErrorCode::kUnsupported);
  }
}

TEST_CASE("where libzip sees another archive there is a defect") {
  SUBCASE("a second directory in the comment: libzip takes the first, torch the last") {
    std::vector<ZipRecord> records = {record("a/good", "good"), record("a/evil", "evil")};
    records[1].in_directory = false;
    const std::string first = build_zip(records);
    ZipRecord evil = record("a/evil", "evil");
    evil.in_file = false;
    evil.header_offset = first.find("a/evil") - 30;
    ZipOptions inner = plain_options();
    inner.end.directory_offset = first.size();
    ZipOptions options;
    options.comment = build_zip({evil}, inner);
    const auto archive = open_zip(build_zip(records, options));
    CHECK(archive->entries()[0].name == "a/evil");
    CHECK(read_entry(*archive, "a/evil") == "evil");
    CHECK(count_code(*archive, "zip-eocd-ambiguous") == 1);
    CHECK(count_code(*archive, "zip-libzip-differs") > 0);
  }
  SUBCASE("a Unicode path that libzip believes") {
    ZipRecord two = record("a/raw", "x");
    two.extra = extra_field(0x7075, "\1" + little_endian(crc32_of("a/raw"), 4) + "a/other");
    const auto archive = open_zip(build_zip({two}));
    CHECK(count_code(*archive, "zip-name-ambiguous") == 1);
    CHECK(count_code(*archive, "zip-libzip-differs") == 1);
  }
  SUBCASE("a name that ends for libzip at a NUL") {
    const auto archive = open_zip(build_zip({record(std::string("a/data.pkl\0.txt", 15), "x")}));
    CHECK(count_code(*archive, "zip-libzip-differs") == 1);
  }
  SUBCASE("an archive that libzip refuses") {
    ZipOptions options;
    options.comment_size = 500;
    const auto archive = open_zip(build_zip({record("a/data.pkl", "x")}, options));
    CHECK(count_code(*archive, "zip-libzip-differs") == 1);
    CHECK(read_entry(*archive, "a/data.pkl") == "x");
  }
  SUBCASE("a deflated entry in an archive that libzip refuses") {
    ZipOptions options;
    options.comment_size = 500;
    const auto archive = open_zip(build_zip({record("a/data.pkl", "x", 8)}, options));
    CHECK(error_of([&] { read_entry(*archive, "a/data.pkl"); }).code() == ErrorCode::kCorrupt);
  }
}

TEST_CASE("a hundred differences are a screenful of defects") {
  std::vector<ZipRecord> records;
  for (int i = 0; i < 100; ++i)
    records.push_back(record(std::string("a/") + std::to_string(i) + std::string("\0x", 2), "x"));
  const auto archive = open_zip(build_zip(records));
  CHECK(count_code(*archive, "zip-libzip-differs") == 21);
  CHECK(archive->defects().back().text == "80 more of this kind");
}

TEST_CASE("an error of the source passes through libzip as it is") {
  const std::string text = pattern(500'000);
  const std::string zip = build_zip({record("a/data.pkl", text, 8)});
  const auto source = std::make_shared<FailingSource>(zip, 200'000);
  const auto archive = ZipArchive::open(source, Limits{});
  const auto entry = archive->entry_source(archive->entries()[0]);
  source->armed = true;
  const Error error = error_of([&] { read_text(*entry, 0, 400'000); });
  CHECK(error.code() == ErrorCode::kIo);
  CHECK(error.text() == "the disk is gone");
  source->armed = false;
  CHECK(read_text(*entry, 0, 400'000) == text.substr(0, 400'000));
}
