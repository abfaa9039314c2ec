// Built checkpoints: each defect that the reader of torch's zip format must name.
#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "checkpoint/leaves.h"
#include "checkpoint/nested.h"
#include "checkpoint/open.h"
#include "tensor/stats.h"
#include "tests/support/pickle_builder.h"
#include "tests/support/zip_builder.h"

using namespace ckpt;
using ckpt::test::PickleBuilder;

namespace {

constexpr std::int64_t kFour[] = {4};
constexpr std::int64_t kOne[] = {1};

std::string floats(std::initializer_list<float> values) {
  std::string out;
  for (const float value : values) out.append(reinterpret_cast<const char*>(&value), sizeof value);
  return out;
}

const std::string kData = floats({1, 2, 3, 4});

// {"weight": <what `tensor` pushes>}
std::string pickle_with(const PickleBuilder& tensor) {
  PickleBuilder b;
  b.proto(2).empty_dict().unicode("weight").insert(tensor).setitem().stop();
  return b.text();
}

PickleBuilder tensor(std::int64_t numel, std::span<const std::int64_t> shape,
                     std::span<const std::int64_t> strides, std::int64_t offset = 0,
                     std::string_view storage_class = "FloatStorage") {
  PickleBuilder b;
  b.torch_tensor("0", storage_class, numel, shape, strides, offset);
  return b;
}

PickleBuilder plain_tensor() { return tensor(4, kFour, kOne); }

CheckpointPtr open(const std::vector<test::ZipRecord>& records, const test::ZipOptions& options = {}) {
  return open_checkpoint(io::memory_source(test::to_bytes(test::build_zip(records, options))), "built.ckpt");
}

CheckpointPtr open(const std::string& pickle, const std::vector<std::string>& storages = {kData}) {
  return open(test::torch_records(pickle, storages));
}

std::vector<std::string> codes(const Checkpoint& checkpoint) {
  std::vector<std::string> out;
  for (const Defect& defect : checkpoint.defects) out.push_back(defect.code);
  return out;
}

bool has(const Checkpoint& checkpoint, std::string_view code) {
  const auto all = codes(checkpoint);
  return std::find(all.begin(), all.end(), code) != all.end();
}

TEST_CASE("an ordinary checkpoint opens without a defect") {
  const auto checkpoint = open(pickle_with(plain_tensor()));
  CHECK(codes(*checkpoint).empty());
  CHECK(checkpoint->complete);
  REQUIRE(checkpoint->entries.size() == 1);
  CHECK(checkpoint->entries[0].path == "weight");
  const TensorRecord& record = checkpoint->record_of(checkpoint->entries[0]);
  CHECK(record.view.numel == 4);
  const tensor::Storage& storage = checkpoint->storages[record.view.storage];
  CHECK(storage.in_place);
  const tensor::Stats stats = tensor::compute_stats(record.view, storage);
  CHECK(std::get<double>(stats.max) == 4.0);
  CHECK(stats.mean == 2.5);
}

TEST_CASE("a deflated storage is read as well as a stored one") {
  auto records = test::torch_records(pickle_with(plain_tensor()), {kData});
  for (auto& record : records)
    if (record.name == "archive/data/0") record.method = 8;
  const auto checkpoint = open(records);
  CHECK(codes(*checkpoint).empty());
  const TensorRecord& record = checkpoint->record_of(checkpoint->entries[0]);
  CHECK(std::get<double>(tensor::compute_stats(record.view, checkpoint->storages[0]).max) == 4.0);
}

TEST_CASE("a view that does not lie inside its storage is named and never read") {
  struct Case {
    const char* name;
    std::vector<std::int64_t> shape, strides;
    std::int64_t offset;
    const char* code;
  };
  const std::int64_t big = std::int64_t{1} << 62;
  const Case cases[] = {
      {"offset beyond the end", {4}, {1}, 10, "tensor-out-of-bounds"},
      {"one element too far", {4}, {1}, 1, "tensor-out-of-bounds"},
      {"huge offset", {4}, {1}, INT64_MAX, "tensor-out-of-bounds"},
      {"strides that overflow", {2, 2}, {big, big}, 0, "tensor-out-of-bounds"},
      {"negative offset", {4}, {1}, -1, "tensor-malformed"},
      {"negative size", {-4}, {1}, 0, "tensor-malformed"},
      {"negative stride", {4}, {-1}, 3, "tensor-malformed"},
      {"rank mismatch", {2, 2}, {1}, 0, "tensor-malformed"},
      {"sizes that overflow", {std::int64_t{1} << 32, std::int64_t{1} << 32}, {0, 0}, 0, "tensor-malformed"},
      {"expanded to 2^40", {std::int64_t{1} << 40}, {0}, 0, "tensor-expanded-huge"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const auto checkpoint = open(pickle_with(tensor(4, c.shape, c.strides, c.offset)));
    CHECK(has(*checkpoint, c.code));
  }
}

TEST_CASE("empty tensors and odd strides of size-1 dimensions are healthy") {
  const std::vector<std::int64_t> shapes[] = {{0}, {3, 0, 2}, {1}, {}};
  const std::vector<std::int64_t> strides[] = {{1}, {2, 2, 1}, {100}, {}};
  for (std::size_t i = 0; i < 4; ++i) {
    CAPTURE(i);
    CHECK(codes(*open(pickle_with(tensor(4, shapes[i], strides[i])))).empty());
  }
}

TEST_CASE("storages that contradict their record are named") {
  CHECK(has(*open(pickle_with(plain_tensor()), {floats({1, 2})}), "storage-size-mismatch"));
  CHECK(has(*open(pickle_with(plain_tensor()), {kData + "x"}), "storage-size-excess"));
  CHECK(has(*open(pickle_with(plain_tensor()), {}), "storage-missing"));
  CHECK(has(*open(pickle_with(plain_tensor()), {kData, kData}), "storage-unreferenced"));
  CHECK(has(*open(pickle_with(tensor(4, kFour, kOne, 0, "NoSuchStorage"))), "storage-type-unknown"));
  PickleBuilder twice;
  twice.proto(2)
      .mark()
      .insert(plain_tensor())
      .insert(tensor(2, kOne, kOne, 0, "DoubleStorage"))
      .list()
      .stop();
  CHECK(has(*open(twice.text()), "storage-inconsistent"));
}

TEST_CASE("storage keys never open anything outside of data/") {
  for (const std::string& key :
       {std::string("../data.pkl"), std::string("/etc/passwd"), std::string("0\0x", 3)}) {
    CAPTURE(key);
    PickleBuilder b;
    b.torch_tensor(key, "FloatStorage", kFour);
    CHECK(has(*open(pickle_with(b)), "pickle-persistent-id"));
  }
}

TEST_CASE("a stream that breaks keeps what it imported and is not complete") {
  PickleBuilder b;
  b.proto(2).payload().op(static_cast<PickleBuilder::Opcode>(0xFF));
  const auto checkpoint = open(b.text());
  CHECK_FALSE(checkpoint->complete);
  CHECK(has(*checkpoint, "pickle-malformed"));
  REQUIRE(checkpoint->imports.size() == 1);
  CHECK(checkpoint->imports[0].name == "system");
}

TEST_CASE("items set on a tensor are named: they corrupt memory in torch < 2.10") {
  PickleBuilder b;
  b.insert(plain_tensor()).unicode("x").none().setitem();
  CHECK(has(*open(pickle_with(b)), "pickle-setitem-on-non-dict"));
}

TEST_CASE("the byteorder and version records are judged") {
  const auto with = [](const char* name, const std::string& text) {
    auto records = test::torch_records(pickle_with(plain_tensor()), {kData});
    std::erase_if(records, [&](const auto& r) { return r.name == std::string("archive/") + name; });
    records.push_back({.name = std::string("archive/") + name, .data = text});
    return open(records);
  };
  CHECK(has(*with("byteorder", "big"), "byteorder-big"));
  CHECK(has(*with("byteorder", "middle\n"), "byteorder-unknown"));
  CHECK(has(*with("byteorder", std::string(1 << 20, 'l')), "byteorder-unknown"));
  CHECK(codes(*with("byteorder", "little")).empty());
  for (const char* version : {"99\n", "three", "-1", "0", "1111111111111111111111111111111111111111"})
    CHECK(has(*with("version", version), "zip-layout"));
}

TEST_CASE("records that belong to no torch file are named, traces of packing are not") {
  auto records = test::torch_records(pickle_with(plain_tensor()), {kData});
  records.push_back({.name = "archive/notes.txt", .data = "x"});
  CHECK(has(*open(records), "zip-unexpected-record"));
  records.back() = {.name = "__MACOSX/._archive", .data = "x"};
  CHECK(codes(*open(records)) == std::vector<std::string>{"zip-outside-entry"});
  records.back() = {.name = "archive/.DS_Store", .data = "x"};
  CHECK(codes(*open(records)).empty());
}

TEST_CASE("names that nobody sees, hidden payloads and a changed pickle are named") {
  PickleBuilder hidden;
  hidden.proto(2).empty_dict().unicode("w\x1b[2J").insert(plain_tensor()).setitem().stop();
  CHECK(has(*open(hidden.text()), "name-unprintable"));
  PickleBuilder nested;
  nested.proto(4).empty_dict().unicode("x").binbytes("\x80\x04N.").setitem().stop();
  const auto inner = find_nested_pickles(*open(nested.text(), {}));
  REQUIRE(inner.size() == 1);
  CHECK(inner[0].place == "x");
  CHECK(inner[0].what == "a pickle of protocol 4");
  auto records = test::torch_records(pickle_with(plain_tensor()), {kData});
  for (auto& record : records)
    if (record.name == "archive/data.pkl") record.crc32 = 0x12345678;
  CHECK(has(*open(records), "zip-crc-mismatch"));
}

TEST_CASE("well-known Python objects are read as the data they stand for") {
  PickleBuilder b;
  b.proto(2).empty_dict();
  b.unicode("path").global("pathlib", "PosixPath").unicode("/").unicode("data").tuple2().reduce().setitem();
  b.unicode("set").global("__builtin__", "set").empty_list().integer(2).append().tuple1().reduce().setitem();
  b.unicode("raw")
      .global("_codecs", "encode")
      .unicode("\xc3\xbf")
      .unicode("latin1")
      .tuple2()
      .reduce()
      .setitem();
  b.unicode("od").ordered_dict().unicode("k").integer(1).setitem().setitem();
  b.unicode("ns")
      .global("argparse", "Namespace")
      .empty_tuple()
      .newobj()
      .empty_dict()
      .unicode("lr")
      .binfloat(0.5)
      .setitem()
      .build()
      .setitem();
  b.unicode("f").global("numpy.core.multiarray", "scalar");
  b.global("numpy", "dtype").unicode("f8").boolean(false).boolean(true).tuple3().reduce();
  b.mark().integer(3).unicode("<").none().none().none().integer(-1).integer(-1).integer(0).tuple().build();
  b.global("_codecs", "encode")
      .unicode(std::string("\0\0\0\0\0\0\xc3\xb8?", 9))
      .unicode("latin1")
      .tuple2()
      .reduce()
      .tuple2()
      .reduce()
      .setitem();
  b.stop();
  const auto checkpoint = open(b.text(), {});
  std::string all;
  for (const Leaf& leaf : collect_leaves(*checkpoint))
    all += leaf.path + "=" + leaf_repr(*checkpoint, leaf) + ":" + leaf_type(*checkpoint, leaf) + "\n";
  CHECK(all ==
        "path=\"/data\":pathlib.PosixPath\n"
        "set[0]=2:int\n"
        "raw=b\"\\xff\":bytes\n"
        "od.k=1:int\n"
        "ns.lr=0.5:float\n"
        "f=1.5:numpy.core.multiarray.scalar\n");
}

// The numbers are torch 2.6.0's: quantized.json, quantized_quint4x2.json.
TEST_CASE("tensors that are quantized per channel have the numbers that torch sees") {
  const std::string folder = CKPT_SOURCE_DIR "/fixtures/valid/torch-2.6.0/";
  const auto stats_of = [&](const char* name, const char* path) {
    const auto file = open_checkpoint(folder + name, {});
    for (const TensorEntry& entry : file->entries) {
      if (entry.path != path) continue;
      const tensor::TensorView& view = file->record_of(entry).view;
      return tensor::compute_stats(view, file->storages[view.storage]);
    }
    return tensor::Stats{};
  };
  const tensor::Stats rows = stats_of("quantized.pt", "per_channel_qint8");
  CHECK(rows.mean == doctest::Approx(0.9166666666666666).epsilon(1e-15));
  CHECK(rows.zeros == 1);
  CHECK(tensor::to_double(rows.min) == -1);
  CHECK(tensor::to_double(rows.max) == 3);
  const tensor::Stats packed = stats_of("quantized_quint4x2.pt", "q4");
  CHECK(packed.mean == doctest::Approx(0.35).epsilon(1e-7));
  CHECK(packed.zeros == 14);
  CHECK(tensor::to_double(packed.max) == doctest::Approx(1.5).epsilon(1e-7));
}

}  // namespace
