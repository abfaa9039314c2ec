#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/pickle/run_pickle.h"
#include "value/walk.h"

using namespace ckpt;
using namespace ckpt::test;
using B = PickleBuilder;

namespace {

// "walked", or the code of the error that ended the walk.
std::string walk_all(const Ran& ran) {
  try {
    value::walk(ran.tree, ran.result.root, "", Limits{},
                [](const value::Visit&) { return value::Next::kInto; });
  } catch (const Error& error) {
    return std::string(to_string(error.code()));
  }
  return "walked";
}

template <class Step>
B repeat(int count, Step step, B b = {}) {
  for (int i = 0; i < count; ++i) step(b);
  return b;
}

// About 300 bytes with every kind of argument.
B sample() {
  const std::vector<std::int64_t> shape{2, 3};
  B b;
  b.proto(4).frame(120).ordered_dict().memoize().mark();
  b.unicode("net.weight").torch_tensor("0", "FloatStorage", shape).short_unicode("s").binget(0);
  b.unicode("b").binbytes("xyz").unicode("f").binfloat(0.5).unicode("l").long1("\x01\x02").unicode("i");
  b.line_int("12").unicode("g").line_float("1.5").unicode("t").line_unicode("\\u0041").unicode("u");
  b.line_string("'q'").setitems();
  return b.mark().inst("m", "C").empty_dict().build().tuple2().stop();
}

}  // namespace

TEST_CASE("frames that lie are reported, and the linear reading goes on") {
  struct Row {
    const char* name;
    B pickle;
    const char* shown;
    const char* defects;
  };
  const B import = B().global("os", "system");
  const Row rows[] = {
      {"an exact frame", B().proto(4).frame(2).none().stop(), "None", ""},
      {"a frame that ends before STOP", B().proto(4).frame(1).none().stop(), "None", ""},
      {"two frames", B().proto(4).frame(1).none().frame(1).stop(), "None", ""},
      {"an empty frame", B().proto(4).frame(0).none().stop(), "None", ""},
      {"a frame under protocol 2", B().proto(2).frame(2).none().stop(), "None", ""},
      {"a frame that cuts bytes", B().proto(4).frame(5).binbytes(std::string(20, 'x')).stop(),
       "b\"xxxxxxxxxxxxxxxxxxxx\"", "pickle-frame-boundary"},
      {"a frame that cuts a GLOBAL", B().proto(4).frame(4).insert(import).stop(), "<class os.system>",
       "pickle-frame-boundary"},
      {"a frame in a frame", B().proto(4).frame(11).frame(2).none().stop(), "None", "pickle-frame-boundary"},
      {"a frame that cuts the next one", B().proto(4).frame(3).frame(2).none().stop(), "None",
       "pickle-frame-boundary"},
      {"opcodes behind the end of a cut frame",
       B().proto(4).frame(2).binbytes("xx").none().tuple2().frame(1).stop(), "(b\"xx\", None)",
       "pickle-frame-boundary"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Ran ran = run_pickle(row.pickle);
    CHECK(ran.shown() == row.shown);
    CHECK(ran.defects() == row.defects);
  }
}

TEST_CASE("an import behind a frame that lies is found where a linear reader finds it") {
  // cpython#154848: the bytes of the BINBYTES look like opcodes to a reader that stops at the frame's end.
  const std::string hidden = B().global("os", "system").unicode("x").tuple1().reduce().text();
  const Ran ran = run_pickle(B().proto(4).frame(5).binbytes(hidden).stop());
  CHECK(ran.defects() == "pickle-frame-boundary");
  CHECK(ran.imports().empty());
}

TEST_CASE("200,000 values in each other are read; walking them hits the depth limit") {
  constexpr int kDepth = 200000;
  const B rows[] = {
      repeat(
          kDepth, [](B& b) { b.tuple1(); }, B().none()),
      repeat(
          kDepth, [](B& b) { b.append(); }, repeat(kDepth, [](B& b) { b.empty_list(); }).none()),
      repeat(
          kDepth, [](B& b) { b.setitem(); }, repeat(kDepth, [](B& b) { b.empty_dict().none(); }).none()),
      repeat(
          kDepth, [](B& b) { b.tuple1().reduce(); }, repeat(kDepth, [](B& b) { b.global("m", "f"); }).none()),
  };
  for (B b : rows) {
    const Ran ran = run_pickle(b.stop());
    CHECK_FALSE(ran.result.failure);
    CHECK(walk_all(ran) == "limit");
  }
}

TEST_CASE("values that contain themselves are read and walked") {
  const B rows[] = {
      B().empty_list().memoize().binget(0).append(),
      B().empty_dict().memoize().none().binget(0).setitem(),
      B().empty_dict().memoize().none().empty_dict().memoize().none().binget(0).setitem().setitem(),
      B().empty_list().memoize().binget(0).tuple1().append(),
  };
  for (B b : rows) {
    const Ran ran = run_pickle(b.stop());
    CHECK_FALSE(ran.result.failure);
    CHECK(walk_all(ran) == "walked");
  }
}

TEST_CASE("a kilobyte with 10^60 paths is read, and walking it ends at the limit") {
  B b;
  b.empty_list();
  for (std::uint8_t level = 0; level < 60; ++level) {
    b.binput(level).pop().mark();
    for (int i = 0; i < 10; ++i) b.binget(level);
    b.list();
  }
  const Ran ran = run_pickle(b.stop());
  CHECK_FALSE(ran.result.failure);
  CHECK(walk_all(ran) == "limit");
}

TEST_CASE("large but honest pickles are read") {
  struct Row {
    const char* name;
    B pickle;
  };
  const Row rows[] = {
      {"a tuple of 3,000,000 None", repeat(
                                        3000000, [](B& b) { b.none(); }, B().mark())
                                        .tuple()},
      {"2,000,000 MEMOIZE", repeat(
                                2000000, [](B& b) { b.memoize(); }, B().none())},
      {"300,000 DUP and POP", repeat(
                                  300000, [](B& b) { b.pop(); },
                                  repeat(
                                      300000, [](B& b) { b.dup(); }, B().none()))},
      {"100,000 POPped MARKs", repeat(
                                   100000, [](B& b) { b.pop(); },
                                   repeat(
                                       100000, [](B& b) { b.mark(); }, B().none()))},
      {"5000 references to 1 MB of bytes",
       repeat(
           5000, [](B& b) { b.binget(0); }, B().mark().binbytes(std::string(1 << 20, 'x')).memoize())
           .list()},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    B b = row.pickle;
    const Ran ran = run_pickle(b.stop());
    CHECK_FALSE(ran.result.failure);
    CHECK(ran.tree.size() < 10);
  }
}

TEST_CASE("scattered memo slots cost what they hold, and are found again") {
  B b;
  for (std::uint32_t k = 0; k < 20000; ++k) b.integer(k).long_binput(k * 2654435761u).pop();
  const Ran ran = run_pickle(b.long_binget(777u * 2654435761u).stop());
  CHECK(ran.shown() == "777");
}

TEST_CASE("20,000 int keys that collide in Python are told apart") {
  B b;
  b.empty_dict().mark();
  const std::int64_t modulus = (std::int64_t{1} << 61) - 1;
  for (std::int64_t k = 0; k < 20000; ++k) b.integer((k % 4) * modulus + (k / 4) * 2).none();
  const Ran ran = run_pickle(b.setitems().stop());
  CHECK(ran.tree.items(ran.result.root).size() == 20000);
}

TEST_CASE("budgets end a pickle that never stops growing") {
  Limits few_nodes;
  few_nodes.nodes = 1000;
  Limits few_opcodes;
  few_opcodes.opcodes = 1000;
  struct Row {
    const char* name;
    B pickle;
    Limits limits;
    bool fails;
  };
  const Row rows[] = {
      {"900 nodes", repeat(900, [](B& b) { b.empty_list().pop(); }).none(), few_nodes, false},
      {"1100 nodes", repeat(1100, [](B& b) { b.empty_list().pop(); }).none(), few_nodes, true},
      {"1100 values on the stack", repeat(1100, [](B& b) { b.none(); }), few_nodes, true},
      {"1100 marks", repeat(1100, [](B& b) { b.mark(); }).none(), few_nodes, true},
      {"5000 elements in one list",
       repeat(
           5000, [](B& b) { b.binget(1).append(); }, B().none().binput(1).pop().empty_list()),
       few_nodes, true},
      {"far memo slots",
       repeat(
           300, [](B& b) { b.long_binput(0xFFFFFFFF); }, B().none()),
       few_nodes, false},
      {"900 opcodes", repeat(450, [](B& b) { b.none().pop(); }).none(), few_opcodes, false},
      {"1100 opcodes", repeat(550, [](B& b) { b.none().pop(); }).none(), few_opcodes, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    B b = row.pickle;
    const Ran ran = run_pickle(b.stop(), row.limits);
    CHECK((ran.shown() == "failed: limit") == row.fails);
    CHECK(ran.result.failure.has_value() == row.fails);
  }
}

TEST_CASE("converting large integers is charged to the budget of opcodes") {
  B b;
  for (int i = 0; i < 200; ++i) b.long4(std::string(1700, '\x7f')).pop();
  Limits limits;
  limits.opcodes = 10000;
  CHECK(run_pickle(b.none().stop(), limits).shown() == "failed: limit");
  CHECK(run_pickle(b).shown() == "None");
}

TEST_CASE("no truncation of a pickle is taken for a whole one") {
  const std::string whole = sample().text();
  CHECK(run_pickle(sample()).result.root != value::kNoNode);
  CHECK(whole.size() > 250);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    const Ran ran = run_pickle(B().raw(whole.substr(0, size)));
    REQUIRE(ran.result.failure);
    CHECK(ran.result.root == value::kNoNode);
  }
}

TEST_CASE("no change of a single byte breaks the reader") {
  const std::string whole = sample().text();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int change = 1; change < 256; ++change) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ change);
      const Ran ran = run_pickle(B().raw(changed));
      if (ran.result.failure.has_value() != (ran.result.root == value::kNoNode)) {
        CAPTURE(at);
        CAPTURE(change);
        FAIL("either a root or a failure is expected");
      }
      if (ran.result.root != value::kNoNode) CHECK(walk_all(ran) == "walked");
    }
  }
}
