#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "pickle/python2_names.h"
#include "tests/pickle/run_pickle.h"

using namespace ckpt;
using namespace ckpt::test;
using B = PickleBuilder;

namespace {

B benign() {
  const std::vector<std::int64_t> shape{4};
  return B().empty_dict().unicode("weight").torch_tensor("0", "FloatStorage", shape).setitem().stop();
}

const std::string kBenign = "torch._utils._rebuild_tensor_v2() torch.FloatStorage collections.OrderedDict()";

}  // namespace

TEST_CASE("every import is recorded when it is executed, whatever becomes of its result") {
  struct Row {
    const char* name;
    B pickle;
    std::string imports;
  };
  // clang-format off
  const Row rows[] = {
      {"a benign tensor", B().proto(2).insert(benign()), kBenign},
      {"GLOBAL and REDUCE", B().proto(2).payload().stop(), "os.system()"},
      {"STACK_GLOBAL", B().proto(4).short_unicode("os").short_unicode("system").stack_global().unicode("x")
                           .tuple1().reduce().stop(), "os.system()"},
      {"INST without PROTO", B().mark().line_string("'x'").inst("os", "system").stop(), "os.system()"},
      {"OBJ, popped", B().proto(2).mark().global("os", "system").unicode("x").obj().pop().insert(benign()),
       "os.system() " + kBenign},
      {"REDUCE, popped", B().proto(2).payload().pop().insert(benign()), "os.system() " + kBenign},
      {"NEWOBJ", B().proto(2).global("subprocess", "Popen").empty_tuple().newobj().stop(),
       "subprocess.Popen()"},
      {"NEWOBJ_EX", B().proto(4).global("subprocess", "Popen").empty_tuple().empty_dict().newobj_ex().stop(),
       "subprocess.Popen()"},
      {"BUILD on a foreign global", B().proto(2).global("evil", "C").empty_dict().build().stop(), "evil.C()"},
      {"imported and popped", B().proto(2).global("evil", "f").pop().insert(benign()), "evil.f " + kBenign},
      {"import, then the end", B().proto(2).global("os", "nothing"), "os.nothing"},
      {"payload, then no opcode", B().proto(2).payload().raw("\xff"), "os.system()"},
      {"payload, no STOP", B().proto(2).payload(), "os.system()"},
      {"operands from the memo, decoys nearer",
       B().unicode("os").line_put("0").unicode("system").line_put("1").unicode("torch").unicode("LongStorage")
           .line_get("0").line_get("1").stack_global().stop(), "os.system"},
      {"a slot that is rebound", B().unicode("torch._utils").binput(0).unicode("os").binput(0).binget(0)
                                     .unicode("system").stack_global().stop(), "os.system"},
      {"MEMOIZE after PUT 7", B().none().line_put("7").unicode("os").memoize().unicode("system").memoize()
                                  .binget(1).binget(2).stack_global().stop(), "os.system"},
      {"a DUPed operand", B().unicode("os").dup().stack_global().stop(), "os.os"},
      {"STRING operands", B().line_string("'os'").line_string("'system'").stack_global().stop(), "os.system"},
      {"a dotted attribute", B().proto(4).unicode("pathlib").unicode("os.system").stack_global().stop(),
       "pathlib.os.system"},
      {"a module computed by a call",
       B().global("m", "f").empty_tuple().reduce().unicode("system").stack_global().stop(),
       "m.f() <computed: m.f()>.system?"},
      {"an int as operand", B().unicode("os").binint1(1).stack_global().stop(), "os.<computed: 1>?"},
      {"an extension code", B().ext1(7).empty_tuple().reduce().stop(), "copyreg.<extension 7>()?"},
      {"Python 2's names at protocol 2",
       B().proto(2).global("__builtin__", "eval").global("commands", "f").global("copy_reg", "f").stop(),
       "builtins.eval subprocess.f copyreg.f"},
      {"Python 2's names without PROTO", B().global("__builtin__", "xrange").stop(), "builtins.range"},
      {"Python 2's names at protocol 3", B().proto(3).global("__builtin__", "eval").stop(),
       "__builtin__.eval"},
      {"the last PROTO decides", B().proto(2).proto(4).global("__builtin__", "eval").stop(),
       "__builtin__.eval"},
      {"posix", B().proto(2).global("posix", "system").stop(), "posix.system"},
      {"carriage returns", B().proto(2).global("os\r", "system\r").stop(), "os\r.system\r"},
      {"a newline", B().proto(4).unicode("os\nx").unicode("y").stack_global().stop(), "os\nx.y"},
      {"one name twice, called once", B().global("m", "f").global("m", "f").empty_tuple().reduce().stop(),
       "m.f()"},
  };
  // clang-format on
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(run_pickle(row.pickle).imports() == row.imports);
  }
}

TEST_CASE("an import keeps the offset of its first appearance") {
  const Ran ran = run_pickle(B().proto(2).none().global("m", "f").global("m", "f").stop());
  REQUIRE(ran.result.imports.size() == 1);
  CHECK(ran.result.imports[0].offset == 3);
}

TEST_CASE("a name that cannot be resolved never passes for one that can") {
  const Ran ran = run_pickle(B().unicode("m").binint1(5).stack_global().global("m", "5").tuple2().stop());
  CHECK(ran.imports() == "m.<computed: 5>? m.5");
}

TEST_CASE("imported names that are not UTF-8 or very long are defects") {
  CHECK(run_pickle(B().global("m\xff", "f").stop()).defects() == "pickle-not-utf8");
  const std::string name(1 << 20, 'n');
  CHECK(run_pickle(B().global(name, name).stop()).defects() == "name-too-long");
  CHECK(run_pickle(B().global("os\r", "system").stop()).defects() == "name-unprintable");
}

TEST_CASE("looking the same long name up again and again is bounded") {
  const std::string name(1 << 20, 'n');
  B b;
  b.unicode(name).binput(0);
  for (int i = 0; i < 20000; ++i) b.binget(0).binget(0).stack_global().pop();
  CHECK(run_pickle(b.none().stop()).shown() == "failed: limit");
}

TEST_CASE("Python 2's names are those of CPython's tables") {
  struct Row {
    pickle::QualifiedName old_name;
    pickle::QualifiedName new_name;
  };
  // clang-format off
  const Row rows[] = {
      {{"__builtin__", "unicode"}, {"builtins", "str"}},
      {{"__builtin__", "long"}, {"builtins", "int"}},
      {{"__builtin__", "set"}, {"builtins", "set"}},
      {{"__builtin__", "reduce"}, {"functools", "reduce"}},
      {{"exceptions", "ValueError"}, {"builtins", "ValueError"}},
      {{"exceptions", "ZeroDivisionError"}, {"builtins", "ZeroDivisionError"}},
      {{"exceptions", "ArithmeticError"}, {"builtins", "ArithmeticError"}},
      {{"exceptions", "StandardError"}, {"builtins", "Exception"}},
      {{"exceptions", "eval"}, {"exceptions", "eval"}},
      {{"urllib", "quote"}, {"urllib.parse", "quote"}},
      {{"urllib2", "urlopen"}, {"urllib.request", "urlopen"}},
      {{"whichdb", "whichdb"}, {"dbm", "whichdb"}},
      {{"BaseHTTPServer", "f"}, {"http.server", "f"}},
      {{"xmlrpclib", "f"}, {"xmlrpc.client", "f"}},
      {{"torch", "FloatStorage"}, {"torch", "FloatStorage"}},
      {{"", ""}, {"", ""}},
  };
  // clang-format on
  for (const Row& row : rows) {
    CAPTURE(row.old_name.module);
    CAPTURE(row.old_name.name);
    CHECK((python3_name(row.old_name) == row.new_name));
  }
}
