// The format's rules, each broken once. The verdicts are those of the safetensors library (safe_open), 0.8.0.
#include <cstring>
#include <string>

#include <doctest/doctest.h>

#include "checkpoint/open.h"
#include "tensor/stats.h"
#include "tests/support/zip_builder.h"

using namespace ckpt;

namespace {

std::string file_of(const std::string& header, const std::string& data) {
  std::string file;
  for (unsigned i = 0; i < 8; ++i) file += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return file + header + data;
}

CheckpointPtr open(const std::string& bytes) {
  return open_checkpoint(io::memory_source(test::to_bytes(bytes)), "x.safetensors");
}

std::string error_of(const std::string& bytes) {
  try {
    open(bytes);
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.what();
  }
  return "no error";
}

const std::string kTwo =
    R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]}})";

}  // namespace

TEST_CASE("tensors of a safetensors file lie where its header says") {
  std::string data(16, '\0');
  const float values[] = {1.5f, -2.0f};
  std::memcpy(data.data(), values, sizeof values);
  data[8] = 7;
  const auto file = open(file_of(R"({"__metadata__":{"format":"pt"},)" + kTwo.substr(1), data));
  CHECK(file->format == "safetensors");
  CHECK(file->defects.empty());
  REQUIRE(file->entries.size() == 2);
  CHECK(file->entries[0].path == "a");
  const auto& view = file->record_of(file->entries[0]).view;
  CHECK(view.shape == std::vector<std::int64_t>{2});
  CHECK(tensor::compute_stats(view, file->storages[view.storage]).mean == -0.25);
  CHECK(file->record_of(file->entries[1]).view.shape.empty());
  const auto metadata = file->tree.get(file->tree.root(), "__metadata__");
  REQUIRE(metadata != value::kNoNode);
  CHECK(file->tree.text(file->tree.get(metadata, "format")) == "pt");
  const auto place = file->storages[1].bytes->locate(0);
  REQUIRE(place);
  CHECK(place->file == file->sources[0].get());
  CHECK(place->offset == file->storages[1].offset);
}

TEST_CASE("codes of less than a byte are counted in bytes, as torch does") {
  const auto file = open(file_of(
      R"({"f4":{"dtype":"F4","shape":[2,6],"data_offsets":[0,6]},"f6":{"dtype":"F6_E3M2","shape":[4],"data_offsets":[6,9]}})",
      std::string(9, '\1')));
  CHECK(file->record_of(file->entries[0]).view.shape == std::vector<std::int64_t>{2, 3});
  CHECK(tensor::name(file->record_of(file->entries[1]).view.dtype) == "float6_e3m2fn");
  CHECK(file->record_of(file->entries[1]).view.shape == std::vector<std::int64_t>{3});
}

TEST_CASE("what the safetensors library refuses is refused, with the reason") {
  const std::string data(16, 'x');
  struct Case {
    std::string bytes, error;
  };
  const auto entry = [](std::string_view rest) { return "{\"a\":{" + std::string(rest) + "}}"; };
  // clang-format off
  const Case cases[] = {
      {file_of(kTwo, data.substr(1)), "truncated: the file has 15 bytes of tensor data, but its header describes 16: the download or copy was cut off; get the file again"},
      {file_of(kTwo, data + "x"), "corrupt: 1 byte follow the last tensor, which safetensors refuses"},
      {file_of(kTwo, data).substr(0, 60), "truncated: the safetensors header has 107 bytes, but the file ends at byte 60: the download or copy was cut off; get the file again"},
      {file_of(entry(R"("dtype":"F32","shape":[4],"data_offsets":[0,8])"), data.substr(8)), "corrupt: \"a\" has 8 bytes, but its dtype and shape take 16"},
      {file_of(entry(R"("dtype":"F99","shape":[4],"data_offsets":[0,16])"), data), "corrupt: \"a\" has the unknown dtype \"F99\""},
      {file_of(entry(R"("dtype":"F32","shape":[4],"data_offsets":[4,20])"), data), "corrupt: data_offsets of \"a\" are 4 to 20, but the header ends at 0: tensors overlap or leave a gap"},
      {file_of(entry(R"("dtype":"F32","shape":[4],"data_offsets":[16,0])"), data), "corrupt: data_offsets of \"a\" are 16 to 0, but the header ends at 0: tensors overlap or leave a gap"},
      {file_of(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[8],"data_offsets":[4,12]}})", data.substr(4)), "corrupt: data_offsets of \"b\" are 4 to 12, but the tensor before ends at 8: tensors overlap or leave a gap"},
      {file_of(entry(R"("dtype":"F32","shape":[4])"), data), "corrupt: the safetensors header has no dtype, shape and two data_offsets for \"a\""},
      {file_of(entry(R"("dtype":"F32","shape":[4],"data_offsets":[0,16,16])"), data), "corrupt: the safetensors header has no dtype, shape and two data_offsets for \"a\""},
      {file_of(entry(R"("dtype":"F32","shape":[-4],"data_offsets":[0,16])"), data), "corrupt: the safetensors header has a negative number where none belongs, in \"a\""},
      {file_of(entry(R"("dtype":"F32","shape":[4.5],"data_offsets":[0,16])"), data), "corrupt: the safetensors header has a fraction where none belongs, in \"a\""},
      {file_of(entry(R"("dtype":"F32","dtype":"F32","shape":[4],"data_offsets":[0,16])"), data), "corrupt: the safetensors header has the key \"dtype\" twice"},
      {file_of(entry(R"("dtype":"F32","shape":[4],"data_offsets":[0,16],"extra":1)"), data), "corrupt: the safetensors header has an unknown key \"extra\" for \"a\""},
      {file_of(entry(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,16])"), data), "corrupt: the shape of \"a\" is too large"},
      {file_of(entry(R"("dtype":"F4","shape":[3],"data_offsets":[0,16])"), data), "corrupt: \"a\" does not end at a byte: 3 elements of 4 bits"},
      {file_of(R"({"a":1})", data), "corrupt: the safetensors header has a number where none belongs, in \"a\""},
      {file_of(R"({"__metadata__":{"n":1}})", ""), "corrupt: the safetensors header has a number where none belongs, in \"__metadata__\""},
      {file_of("{\"a\"", data), "corrupt: the safetensors header is not JSON (at byte 12)"},
      {file_of("{\"\xff\":1}", data), "corrupt: the safetensors header is not UTF-8"},
      {file_of(kTwo.substr(0, kTwo.size() - 1) + "," + kTwo.substr(1), data), "corrupt: the safetensors header has \"a\" twice"},
  };
  // clang-format on
  for (const Case& c : cases) {
    CAPTURE(c.error);
    CHECK(error_of(c.bytes) == c.error);
  }
}

TEST_CASE("a safetensors file is whole or refused, wherever it is cut") {
  const std::string whole = file_of(kTwo, std::string(16, 'x'));
  CHECK(error_of(whole) == "no error");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(error_of(whole.substr(0, size)) != "no error");
  }
}
