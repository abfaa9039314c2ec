// Calls with arguments that torch or Python refuse. The verdicts are those of torch 2.13 on Python 3.11: see
// tests/interop/hostile/cases.py, which has the same calls.
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "checkpoint/open.h"
#include "tests/support/pickle_builder.h"
#include "tests/support/zip_builder.h"

using namespace ckpt;
using B = ckpt::test::PickleBuilder;

namespace {

constexpr std::int64_t kFour[] = {4};
constexpr std::int64_t kOne[] = {1};

std::vector<std::string> codes_of(const B& value) {
  B b;
  b.proto(2).empty_dict().unicode("x").insert(value).setitem().stop();
  const auto records = test::torch_records(b.text(), {std::string(16, '\0')});
  const auto file = open_checkpoint(io::memory_source(test::to_bytes(test::build_zip(records))), "built.pt");
  std::vector<std::string> codes;
  for (const Defect& defect : file->defects) codes.push_back(defect.code);
  std::erase(codes, "storage-unreferenced");
  return codes;
}

struct Row {
  const char* name;
  B value;
};

B call(std::string_view module, std::string_view name, const B& tuple) {
  B b;
  return b.global(module, name).insert(tuple).reduce();
}

B nothing() { return B().empty_tuple(); }
B one(const B& value) { return B().insert(value).tuple1(); }

TEST_CASE("calls that picklers write have no defect") {
  const Row rows[] = {
      {"OrderedDict", call("collections", "OrderedDict", nothing())},
      {"OrderedDict of pairs",
       call("collections", "OrderedDict", one(B().mark().integer(1).none().tuple2().list()))},
      {"Counter", call("collections", "Counter", one(B().empty_dict()))},
      {"defaultdict", call("collections", "defaultdict", one(B().global("builtins", "list")))},
      {"deque", call("collections", "deque", B().empty_list().integer(5).tuple2())},
      {"set", call("builtins", "set", one(B().mark().integer(1).list()))},
      {"bytearray", call("builtins", "bytearray", B().unicode("\xc3\xbf").unicode("latin-1").tuple2())},
      {"complex", call("builtins", "complex", B().binfloat(1).binfloat(2).tuple2())},
      {"bytes", call("_codecs", "encode", B().unicode("\xc3\xbf").unicode("latin1").tuple2())},
      {"Size", call("torch", "Size", one(B().integers(kFour)))},
      {"device", call("torch", "device", B().unicode("cuda").integer(1).tuple2())},
      {"device of a backend outside of torch", call("torch", "device", one(B().unicode("npu:0")))},
      {"layout", call("torch.serialization", "_get_layout", one(B().unicode("torch.sparse_coo")))},
      {"a class of a project", call("project", "Class", one(B().integer(1)))},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(codes_of(row.value).empty());
  }
}

TEST_CASE("calls that Python and torch refuse are defects") {
  const Row rows[] = {
      {"OrderedDict of an int", call("collections", "OrderedDict", one(B().integer(1)))},
      {"OrderedDict of two", call("collections", "OrderedDict", B().empty_dict().empty_dict().tuple2())},
      {"OrderedDict of text", call("collections", "OrderedDict", one(B().unicode("ab")))},
      {"OrderedDict of a triple",
       call("collections", "OrderedDict", one(B().mark().none().none().none().tuple3().list()))},
      {"OrderedDict with a list as state",
       call("collections", "OrderedDict", nothing()).empty_list().build()},
      {"OrderedDict, appended", call("collections", "OrderedDict", nothing()).none().append()},
      {"Counter of an int", call("collections", "Counter", one(B().integer(1)))},
      {"defaultdict of an int", call("collections", "defaultdict", one(B().integer(1)))},
      {"deque of an int", call("collections", "deque", one(B().integer(1)))},
      {"set of an int", call("builtins", "set", one(B().integer(1)))},
      {"set of lists", call("builtins", "set", one(B().mark().empty_list().list()))},
      {"bytearray of text", call("builtins", "bytearray", one(B().unicode("x")))},
      {"bytearray of 2^40", call("builtins", "bytearray", one(B().integer(std::int64_t{1} << 40)))},
      {"complex of text", call("builtins", "complex", one(B().unicode("x")))},
      {"encode beyond Latin-1",
       call("_codecs", "encode", B().unicode("\xc4\x80").unicode("latin1").tuple2())},
      {"encode in nonsense", call("_codecs", "encode", B().unicode("x").unicode("nonsense").tuple2())},
      {"encode of bytes", call("_codecs", "encode", B().binbytes("x").unicode("latin1").tuple2())},
      {"Size of an int", call("torch", "Size", one(B().integer(4)))},
      {"Size of floats", call("torch", "Size", one(B().binfloat(4).tuple1()))},
      {"Size of two", call("torch", "Size", B().empty_tuple().empty_tuple().tuple2())},
      {"device of nonsense", call("torch", "device", one(B().unicode("cpv")))},
      {"device of nothing", call("torch", "device", nothing())},
      {"device cpu:-2", call("torch", "device", one(B().unicode("cpu:-2")))},
      {"layout of nonsense", call("torch.serialization", "_get_layout", one(B().unicode("torch.x")))},
      {"a dtype is called", call("torch", "float32", nothing())},
      {"a name that Python has not", B().global("builtins", "no_such")},
      {"a name that collections has not", B().global("collections", "OrderedDicu")},
      {"a tensor is called", B().torch_tensor("0", "FloatStorage", kFour).empty_tuple().reduce()},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(codes_of(row.value) == std::vector<std::string>{"pickle-call-fails"});
  }
}

B rebuild(const B& rest, std::string_view storage_class = "FloatStorage") {
  B b;
  b.global("torch._utils", "_rebuild_tensor_v2").mark().torch_storage("0", storage_class, 4).integer(0);
  return b.integers(kFour).integers(kOne).insert(rest).tuple().reduce();
}

TEST_CASE("tensors are rebuilt of the arguments that torch takes, and of no others") {
  const B hooks = B().ordered_dict();
  CHECK(codes_of(rebuild(B().boolean(true).insert(hooks))).empty());
  CHECK(codes_of(rebuild(B().boolean(true).insert(hooks).empty_dict())).empty());
  const Row malformed[] = {
      {"too few", rebuild(B())},
      {"too many", rebuild(B().boolean(false).insert(hooks).empty_dict().none())},
      {"requires_grad None", rebuild(B().none().insert(hooks))},
      {"requires_grad 1", rebuild(B().integer(1).insert(hooks))},
      {"requires_grad of integers", rebuild(B().boolean(true).insert(hooks), "IntStorage")},
      {"conj of real numbers",
       rebuild(B().boolean(false).insert(hooks).empty_dict().unicode("conj").boolean(true).setitem())},
  };
  for (const Row& row : malformed) {
    CAPTURE(row.name);
    CHECK(codes_of(row.value) == std::vector<std::string>{"tensor-malformed"});
  }
  const Row changed[] = {
      {"a value appended", rebuild(B().boolean(false).insert(hooks)).none().append()},
      {"a state", rebuild(B().boolean(false).insert(hooks)).none().build()},
  };
  for (const Row& row : changed) {
    CAPTURE(row.name);
    CHECK(codes_of(row.value) == std::vector<std::string>{"pickle-call-fails"});
  }
}

}  // namespace
