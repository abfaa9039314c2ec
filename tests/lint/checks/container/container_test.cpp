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

}  // namespace

TEST_CASE("a changed byte of a storage is found by its checksum, if every record is read") {
  auto records = weight_records();
  storage_of(records).crc32 = crc32_of(std::string(24, '\x01')) ^ 1u;
  storage_of(records).local.crc32 = 0;
  const Opened opened = open_zip(build_zip(records));
  CHECK(lint_with("container-crc", opened).empty());  // the catalogue's default reads no storage
  const auto found = lint_with("container-crc", opened, {.params = kAllRecords});
  REQUIRE(found.size() == 1);
  CHECK(found[0].where.path == "data/0");
  CHECK(found[0].level == report::Level::kError);
  CHECK(found[0].message.starts_with("24 B has CRC-32 "));
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
  const auto found = lines(lint_with("container-crc", open_zip(build_zip(records)), {.params = kAllRecords}));
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with("error data/0: "));
}

TEST_CASE("a checksum of 0 on a record with bytes was not computed: a note") {
  auto records = weight_records();
  storage_of(records).crc32 = 0;
  const auto found = lines(lint_with("container-crc", open_zip(build_zip(records)), {.params = kAllRecords}));
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with("note : no checksum of 1 of "));
}

TEST_CASE("recommended verifies every record, and does not tell of records without a checksum") {
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

TEST_CASE("what max-bytes leaves out is counted, not passed in silence") {
  const std::vector<lint::Param> params = {{"all-records", true}, {"max-bytes", std::int64_t{10}}};
  const auto found =
      lines(lint_with("container-crc", open_zip(build_zip(weight_records())), {.params = params}));
  REQUIRE(found.size() == 1);
  CHECK(found[0].find("not verified: beyond max-bytes") != std::string::npos);
}

TEST_CASE("compressed storages cannot be mapped; misaligned ones are a note") {
  auto records = weight_records();
  CHECK(lint_with("container-compressed-record", open_zip(build_zip(records))).empty());
  CHECK(lines(lint_with("container-compressed-record", open_zip(build_zip(records, {.alignment = 1}))))
            .at(0)
            .starts_with("note data/0: 1 of 1 storage at no multiple of 64 bytes"));
  storage_of(records).method = 8;
  const auto found = lines(lint_with("container-compressed-record", open_zip(build_zip(records))));
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with("warning data/0: 1 of 1 storage compressed"));
}

TEST_CASE("a compressed pickle beside stored data is healthy") {
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
