// Every bound of base/limits.h, lowered or reached: what bites, and what follows. The first test holds that
// none is forgotten.
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "checkpoint/open.h"
#include "tests/support/files.h"
#include "tests/support/pickle_builder.h"
#include "tests/support/zip_builder.h"

using namespace ckpt;
using B = ckpt::test::PickleBuilder;

namespace {

constexpr std::int64_t kFour[] = {4};

std::string state_dict() {
  return B()
      .proto(2)
      .empty_dict()
      .unicode("weight")
      .torch_tensor("0", "FloatStorage", kFour)
      .setitem()
      .stop()
      .text();
}

std::vector<test::ZipRecord> records_of(const std::string& pickle) {
  return test::torch_records(pickle, {std::string(16, '\0')});
}

std::string under_x(const B& value) {
  return B().proto(2).empty_dict().unicode("x").insert(value).setitem().stop().text();
}

// The code of the error, or of the first defect; "" if there is neither.
std::string outcome(const std::vector<test::ZipRecord>& records, const Limits& limits) {
  try {
    const auto file =
        open_checkpoint(io::memory_source(test::to_bytes(test::build_zip(records))), "built.pt", limits);
    for (const Defect& defect : file->defects)
      if (defect.code != "storage-unreferenced" && defect.code != "zip-unexpected-record") return defect.code;
    return "";
  } catch (const Error& error) {
    return "error: " + std::string(to_string(error.code()));
  }
}

// A value that refers to the level below `width` times, `levels` deep.
B shared(int levels, int width) {
  B b;
  b.empty_list().binput(0).pop();
  for (int level = 0; level < levels; ++level) {
    b.mark();
    for (int i = 0; i < width; ++i) b.binget(static_cast<std::uint8_t>(level));
    b.list().binput(static_cast<std::uint8_t>(level + 1)).pop();
  }
  return b.binget(static_cast<std::uint8_t>(levels));
}

struct Bound {
  const char* name;
  std::function<void(Limits&)> lower;
  std::vector<test::ZipRecord> input;
  const char* then;
};

std::vector<Bound> bounds() {
  auto deflated = records_of(under_x(B().unicode(std::string(200'000, 'x'))));
  deflated[0].method = 8;
  auto long_name = records_of(state_dict());
  long_name.push_back({.name = "archive/" + std::string(5000, 'n'), .data = "x"});
  auto long_record = records_of(state_dict());
  for (auto& record : long_record)
    if (record.name == "archive/byteorder") record.data = std::string(100, 'l');
  B repeated;
  repeated.mark().unicode(std::string(1000, 't')).binput(1);
  for (int i = 0; i < 100; ++i) repeated.binget(1);
  const std::vector<std::int64_t> many(70, 1);
  B dimensions;
  dimensions.torch_tensor("0", "FloatStorage", 4, many, many);
  B nested;
  for (int i = 0; i < 100; ++i) nested.empty_list();
  for (int i = 1; i < 100; ++i) nested.append();
  return {
      {"pickle_bytes", [](Limits& l) { l.pickle_bytes = 50; }, records_of(state_dict()), "error: limit"},
      {"zip_directory_bytes", [](Limits& l) { l.zip_directory_bytes = 100; }, records_of(state_dict()),
       "error: limit"},
      {"zip_entries", [](Limits& l) { l.zip_entries = 3; }, records_of(state_dict()), "error: limit"},
      {"zip_name_bytes", [](Limits&) {}, long_name, "zip-name-unsafe"},
      {"small_record_bytes", [](Limits& l) { l.small_record_bytes = 50; }, long_record, "byteorder-unknown"},
      {"inflate_ratio", [](Limits& l) { l.inflate_ratio = 0; }, deflated, "error: limit"},
      {"opcodes", [](Limits& l) { l.opcodes = 10; }, records_of(state_dict()), "pickle-limit"},
      {"nodes", [](Limits& l) { l.nodes = 10; }, records_of(state_dict()), "pickle-limit"},
      {"integer_digits", [](Limits& l) { l.integer_digits = 10; },
       records_of(under_x(B().line_long("123456789012L"))), "pickle-limit"},
      {"depth", [](Limits& l) { l.depth = 50; }, records_of(under_x(nested)), "pickle-limit"},
      {"paths", [](Limits&) {}, records_of(under_x(shared(40, 8))), "pickle-limit"},
      {"repeated_text", [](Limits& l) { l.repeated_text = 50'000; }, records_of(under_x(repeated.list())),
       "pickle-limit"},
      {"name_bytes", [](Limits& l) { l.name_bytes = 100; },
       records_of(B().proto(2).empty_dict().unicode(std::string(200, 'k')).none().setitem().stop().text()),
       "name-too-long"},
      {"dimensions", [](Limits&) {}, records_of(under_x(dimensions)), "tensor-malformed"},
  };
}

TEST_CASE("what goes beyond a bound is a limit or a defect, and within it nothing is said") {
  for (const Bound& bound : bounds()) {
    CAPTURE(bound.name);
    Limits limits;
    bound.lower(limits);
    CHECK(outcome(bound.input, limits) == std::string(bound.then));
  }
  CHECK(outcome(records_of(state_dict()), {}) == "");
  CHECK(outcome(records_of(under_x(shared(4, 8))), {}) == "");
}

TEST_CASE("a folder with more files than the bound is not listed") {
  Limits limits;
  limits.folder_files = 2;
  CHECK_THROWS_AS(open_checkpoint(CKPT_SOURCE_DIR "/fixtures/valid/formats/dcp-4", limits), Error);
}

TEST_CASE("a header beyond index_bytes is not read") {
  Limits limits;
  limits.index_bytes = 20;
  try {
    open_checkpoint(CKPT_SOURCE_DIR "/fixtures/broken/safetensors.safetensors", limits);
    FAIL("it was read");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kLimit);
  }
}

TEST_CASE("scales beyond quantizer_channels are not kept: codes are shown") {
  Limits limits;
  limits.quantizer_channels = 1;
  const auto file = open_checkpoint(CKPT_SOURCE_DIR "/fixtures/valid/torch-2.6.0/quantized.pt", limits);
  for (const TensorRecord& record : file->tensor_records)
    if (record.view.quantizer) CHECK(record.view.quantizer->scales.empty());
}

TEST_CASE("every field of Limits has its case here and its line in the table") {
  const std::string header = test::read_file(CKPT_SOURCE_DIR "/src/base/limits.h");
  const std::string tests = test::read_file(CKPT_SOURCE_DIR "/tests/checkpoint/bounds_test.cpp");
  const std::string fields = header.substr(header.find("struct Limits {"));
  std::istringstream lines(fields);
  std::size_t found = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find(" = ");
    if (equals == std::string::npos) continue;
    const std::string name =
        line.substr(line.rfind(' ', equals - 1) + 1, equals - line.rfind(' ', equals - 1) - 1);
    CAPTURE(name);
    if (name == "spooled_bytes" || name == "listing_bytes") continue;  // of operands, not of files
    ++found;
    CHECK(tests.find(name) != std::string::npos);
    CHECK(header.find("//   " + name + " ") != std::string::npos);
  }
  CHECK(found == 17);
}

TEST_CASE("what is shared too often is listed once, and all of it is judged") {
  B b;
  b.torch_tensor("0", "FloatStorage", kFour).binput(100).pop();
  b.mark().binget(100).list().binput(0).pop();
  for (int level = 0; level < 40; ++level) {
    b.mark();
    for (int i = 0; i < 8; ++i) b.binget(static_cast<std::uint8_t>(level));
    b.list().binput(static_cast<std::uint8_t>(level + 1)).pop();
  }
  const auto records = records_of(under_x(b.binget(40)));
  const auto file = open_checkpoint(io::memory_source(test::to_bytes(test::build_zip(records))), "built.pt");
  CHECK_FALSE(file->complete);
  REQUIRE(file->entries.size() == 1);
  CHECK(file->entries[0].path.starts_with("x[0][0]"));
}

}  // namespace
