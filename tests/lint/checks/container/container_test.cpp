// Rules about the archive: checksums, compression, size.
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/text.h"
#include "checkpoint/open.h"
#include "tests/lint/checks/support.h"
#include "tests/support/pickle_builder.h"
#include "tests/support/zip_builder.h"

using namespace ckpt;
using namespace ckpt::test;

namespace {

// {"weight": float32 [2, 3]} over storage "0", and its bytes.
std::vector<ZipRecord> weight_records() {
  const std::vector<std::int64_t> shape = {2, 3};
  PickleBuilder b;
  b.proto(2).empty_dict().mark().unicode("weight").torch_tensor("0", "FloatStorage", shape).setitems().stop();
  return torch_records(b.text(), {std::string(24, '\x01')});
}

ZipRecord& storage_of(std::vector<ZipRecord>& records) {
  return *std::find_if(records.begin(), records.end(),
                       [](const ZipRecord& r) { return r.name == "archive/data/0"; });
}

Opened open_zip(const std::string& zip) {
  const std::string path = "built.ckpt";
  return read_input(open_checkpoint(io::memory_source(to_bytes(zip)), path), path);
}

const std::vector<lint::Param> kAllRecords = {{"all-records", true}};

using Lines = std::vector<std::string>;

Lines found_in(const char* rule, const std::vector<ZipRecord>& records, const LintRun& run = {}) {
  return lines(lint_with(rule, open_zip(build_zip(records)), run));
}

// A checkpoint of nothing but this pickle.
Lines found_in(const char* rule, const PickleBuilder& pickle) {
  return found_in(rule, torch_records(pickle.text(), {}));
}

}  // namespace

TEST_CASE("a changed byte of a storage is found by its checksum, if every record is read") {
  auto records = weight_records();
  storage_of(records).crc32 = crc32_of(std::string(24, '\x01')) ^ 1u;
  storage_of(records).local.crc32 = 0;
  const Opened opened = open_zip(build_zip(records));
  CHECK(lint_with("container-crc", opened).empty());  // the catalogue's default reads no storage
  const auto found = lint_with("container-crc", opened, {.params = kAllRecords});
  CHECK(
      lines(found) ==
      Lines{"error data/0: 24 B with CRC-32 550f07d3, but the archive says 550f07d2: the bytes changed after "
            "they were written"});
  REQUIRE(found.size() == 1);
  REQUIRE(found[0].where.bytes.has_value());
  CHECK(found[0].where.bytes->size == 24);
}

TEST_CASE("records with their checksums are silent, stored or deflated") {
  auto records = weight_records();
  CHECK(lint_with("container-crc", open_zip(build_zip(records)), {.params = kAllRecords}).empty());
  storage_of(records).method = 8;
  CHECK(lint_with("container-crc", open_zip(build_zip(records)), {.params = kAllRecords}).empty());
}

TEST_CASE("a deflated record with a wrong checksum is found, too") {
  auto records = weight_records();
  storage_of(records).method = 8;
  storage_of(records).crc32 = 7;
  storage_of(records).local.crc32 = 0;
  CHECK(found_in("container-crc", records, {.params = kAllRecords}) ==
        Lines{"error data/0: cannot be read: \"archive/data/0\" inflates to bytes whose CRC is not the one "
              "in the "
              "directory; copy or save the file again"});
}

TEST_CASE("a checksum of 0 on a record with bytes was not computed: a note") {
  auto records = weight_records();
  storage_of(records).crc32 = 0;
  CHECK(
      found_in("container-crc", records, {.params = kAllRecords}) ==
      Lines{
          "note : 1 of 4 records saved without a checksum (recorded as 0): their bytes cannot be verified"});
}

TEST_CASE("of many records with a wrong checksum the first 20 are listed, and all are counted") {
  PickleBuilder b;
  b.proto(2).empty_dict();
  const std::vector<std::int64_t> shape = {2, 3};
  for (int i = 0; i < 21; ++i)
    b.unicode("weight" + std::to_string(i)).torch_tensor(std::to_string(i), "FloatStorage", shape).setitem();
  b.stop();
  auto records = torch_records(b.text(), std::vector<std::string>(21, std::string(24, '\x01')));
  for (ZipRecord& record : records) {
    if (!record.name.starts_with("archive/data/")) continue;
    record.crc32 = 7;
    record.local.crc32 = 0;
  }
  const Lines found = found_in("container-crc", records, {.params = kAllRecords});
  CHECK(found.size() == 21);
  CHECK(std::count(found.begin(), found.end(), "error : 21 of 24 records have a wrong checksum") == 1);
}

TEST_CASE("recommended verifies every record, and does not report records without a checksum") {
  const lint::RuleSet recommended = lint::load_rule_set("recommended");
  const auto crc_findings = [&](std::uint32_t crc) {
    auto records = weight_records();
    storage_of(records).crc32 = crc;
    storage_of(records).local.crc32 = 0;
    std::vector<std::string> found;
    for (const auto& finding : lint::run_rules(recommended, open_zip(build_zip(records)), 0, nullptr, 1, {}))
      if (finding.rule_id == "container-crc") found.push_back(finding.where.path);
    return found;
  };
  CHECK(crc_findings(7) == std::vector<std::string>{"data/0"});
  CHECK(crc_findings(0).empty());  // no checksum was written
}

TEST_CASE("records beyond max-bytes are counted, not skipped silently") {
  const std::vector<lint::Param> params = {{"all-records", true}, {"max-bytes", std::int64_t{10}}};
  CHECK(found_in("container-crc", weight_records(), {.params = params}) ==
        Lines{"note : 2 records (64 B) not verified: beyond max-bytes (10 B)"});
}

TEST_CASE("compressed storages cannot be mapped; misaligned ones are a note") {
  auto records = weight_records();
  CHECK(lint_with("container-compressed-record", open_zip(build_zip(records))).empty());
  CHECK(lines(lint_with("container-compressed-record", open_zip(build_zip(records, {.alignment = 1})))) ==
        Lines{"note data/0: 1 of 1 storage not aligned to 64 bytes, the first at offset 321: torch did "
              "not write this archive"});
  storage_of(records).method = 8;
  CHECK(found_in("container-compressed-record", records) ==
        Lines{"warning data/0: 1 of 1 storage compressed, starting with this one (the file was zipped "
              "again): torch.load(mmap=True) "
              "returns garbage"});
}

TEST_CASE("a compressed pickle next to stored data is healthy") {
  auto records = weight_records();
  for (auto& record : records)
    if (record.name != "archive/data/0") record.method = 8;
  CHECK(lint_with("container-compressed-record", open_zip(build_zip(records))).empty());
}

TEST_CASE("the file's size is held to its limits") {
  const Opened opened = open_zip(build_zip(weight_records()));
  const auto size = static_cast<double>(opened.file->file_size);
  CHECK(lint_with("container-max-size", opened, {.params = {{"max", size}}}).empty());
  const std::uint64_t bytes = opened.file->file_size;
  const std::string shown = "error : " + format_bytes(bytes) + " (" + std::to_string(bytes) + " bytes), ";
  CHECK(lines(lint_with("container-max-size", opened, {.params = {{"max", size - 1}}})) ==
        std::vector<std::string>{shown + "more than the maximum of " + std::to_string(bytes - 1)});
  CHECK(lines(lint_with("container-max-size", opened, {.params = {{"min", size + 1}}})) ==
        std::vector<std::string>{shown + "less than the minimum of " + std::to_string(bytes + 1)});
}

TEST_CASE("an entry whose name points outside of the archive, and a symbolic link") {
  auto records = weight_records();
  CHECK(found_in("container-unsafe-name", records).empty());
  records.push_back({.name = "../../.ssh/authorized_keys", .data = "x"});
  records.push_back(
      {.name = "archive/link", .data = "/etc/passwd", .made_by = 3 << 8, .attributes = 0xA1FFu << 16});
  CHECK(found_in("container-unsafe-name", records) ==
        Lines{"error ../../.ssh/authorized_keys: the entry name \"../../.ssh/authorized_keys\" has a '.' or "
              "'..' part",
              "error archive/link: \"archive/link\" is a symbolic link, which is never followed"});
}

TEST_CASE("of many defects of a code the first are listed, and the rest counted") {
  auto records = weight_records();
  for (int i = 0; i < 23; ++i) records.push_back({.name = "../" + std::to_string(i), .data = "x"});
  const Lines names = found_in("container-unsafe-name", records);
  CHECK(names.size() == 21);
  CHECK(std::count(names.begin(), names.end(), "error : 3 more of this kind") == 1);  // the zip reader counts
  PickleBuilder b;
  b.proto(2).empty_dict();
  const std::vector<std::int64_t> shape = {2, 3};
  for (int i = 0; i < 25; ++i)
    b.unicode("w" + std::to_string(i)).torch_tensor(std::to_string(i), "FloatStorage", shape).setitem();
  b.stop();
  const Lines found = found_in("container-record-missing", b);
  CHECK(found.size() == 22);
  CHECK(std::count(found.begin(), found.end(),
                   "error : 4 more findings of this kind: a storage without its record (storage-missing)") ==
        1);
}

TEST_CASE("a dict that the pickle gives the same key twice") {
  const auto pickle = [](const char* second) {
    PickleBuilder b;
    b.proto(2).empty_dict().unicode("lr").integer(1).setitem().unicode(second).integer(2).setitem().stop();
    return b;
  };
  CHECK(found_in("container-duplicate-key", pickle("wd")).empty());
  CHECK(
      found_in("container-duplicate-key", pickle("lr")) ==
      Lines{
          "warning data.pkl: a dict repeats a key: the last value wins, as in Python, which leaves 1 item"});
}

TEST_CASE("a tensor whose name contains control characters") {
  const std::vector<std::int64_t> shape = {2, 3};
  const auto records = [&](const char* name) {
    PickleBuilder b;
    b.proto(2).empty_dict().unicode(name).torch_tensor("0", "FloatStorage", shape).setitem().stop();
    return torch_records(b.text(), {std::string(24, '\x01')});
  };
  CHECK(found_in("names-unprintable", records("weight")).empty());
  CHECK(found_in("names-unprintable", records("w\x1b[2J")) ==
        Lines{"note [\"w\\u001b[2J\"]: the name has control or invisible characters"});
}

TEST_CASE("bytes that are themselves a pickle") {
  const auto pickle = [](std::string_view bytes) {
    PickleBuilder b;
    b.proto(4).empty_dict().unicode("tokenizer").binbytes(bytes).setitem().stop();
    return b;
  };
  CHECK(found_in("security-nested-pickle", pickle("plain bytes")).empty());
  CHECK(found_in("security-nested-pickle", pickle("\x80\x04N.")) ==
        Lines{"note tokenizer: a pickle of protocol 4; it imports nothing"});
}

TEST_CASE("pickles and archives that are no value of the checkpoint") {
  const auto with = [](const std::string& content) {
    auto records = weight_records();
    records.push_back({.name = "archive/notes.txt", .data = content});
    return records;
  };
  CHECK(found_in("security-hidden-pickle", with("plain text")).empty());
  CHECK(found_in("security-hidden-pickle", with("\x80\x04N.")) ==
        Lines{"error archive/notes.txt: a pickle of protocol 4; it imports nothing"});
  PickleBuilder dates;
  dates.proto(2).global("datetime", "date").stop();
  CHECK(
      found_in("security-hidden-pickle", with(dates.text())) ==
      Lines{
          "error archive/notes.txt: a pickle of protocol 2; a program that loads it imports datetime.date"});
  CHECK(found_in("security-hidden-pickle", with(build_zip(weight_records()))) ==
        Lines{"error archive/notes.txt: a checkpoint of its own; a program that loads it imports "
              "torch._utils._rebuild_tensor_v2, torch.FloatStorage, collections.OrderedDict"});
  PickleBuilder payload;
  payload.proto(2).payload().stop();
  CHECK(found_in("security-hidden-pickle", with(payload.text())).empty());
  CHECK(found_in("security-nested-pickle", with(payload.text())) ==
        Lines{"error archive/notes.txt: a pickle of protocol 2; a program that loads it runs os.system"});
}

TEST_CASE("a pickle behind the STOP of data.pkl") {
  PickleBuilder b;
  b.proto(2).empty_dict().stop().raw(std::string(64, '\0'));
  CHECK(found_in("security-hidden-pickle", b).empty());
  PickleBuilder second;
  second.proto(2).empty_dict().stop().proto(2).global("datetime", "date").stop();
  CHECK(found_in("security-hidden-pickle", second) ==
        Lines{"error data.pkl, after STOP: a pickle of protocol 2; a program that loads it imports "
              "datetime.date"});
}

TEST_CASE("a storage of another size than its record") {
  auto records = weight_records();
  storage_of(records).data = std::string(32, '\x01');
  CHECK(found_in("container-record-size", records) ==
        Lines{"error data/0: storage \"0\" has 32 bytes in the file, but the pickle declares only 24: torch "
              "2.10 and later refuse the file"});
  storage_of(records).data = std::string(16, '\x01');
  CHECK(found_in("container-record-size", records) ==
        Lines{"error data/0: storage \"0\" has 16 bytes in the file, but the pickle declares 24; torch < "
              "2.10 reads past "
              "its end",
              "error weight: shape [2, 3], stride [3, 1], offset 0 extend past storage \"0\" (16 bytes)"});
}
