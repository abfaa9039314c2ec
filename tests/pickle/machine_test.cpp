#include "pickle/machine.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/pickle/run_pickle.h"

using namespace ckpt;
using namespace ckpt::test;
using value::Kind;
using B = PickleBuilder;

namespace {

struct Row {
  const char* name;
  B pickle;
  const char* shown;
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Ran ran = run_pickle(row.pickle);
    CHECK(ran.shown() == row.shown);
    CHECK(ran.result.failure.has_value() == (ran.result.root == value::kNoNode));
    if (ran.result.failure) CHECK(ran.result.failure->offset().has_value());
  }
}

}  // namespace

TEST_CASE("numbers are read from every opcode that writes them") {
  check({
      {"NONE", B().none().stop(), "None"},
      {"NEWTRUE", B().boolean(true).stop(), "True"},
      {"BININT1", B().binint1(255).stop(), "255"},
      {"BININT2", B().binint2(65535).stop(), "65535"},
      {"BININT", B().binint(-2147483647).stop(), "-2147483647"},
      {"LONG1 of length 0", B().long1("").stop(), "0"},
      {"LONG1 negative", B().long1("\x80").stop(), "-128"},
      {"LONG1 of 255 bytes that is -1", B().long1(std::string(255, '\xff')).stop(), "-1"},
      {"LONG1 of 8 bytes", B().integer(-9223372036854775807 - 1).stop(), "-9223372036854775808"},
      {"LONG1 of 9 bytes", B().long1(std::string(8, '\xff') + std::string(1, '\0')).stop(),
       "18446744073709551615"},
      {"LONG4", B().long4(std::string(12, '\0') + "\x01").stop(), "79228162514264337593543950336"},
      {"LONG4 negative", B().long4(std::string(12, '\0') + "\xff").stop(), "-79228162514264337593543950336"},
      {"LONG4 with a negative length", B().declare(pickle::Opcode::kLong4, 0xFFFFFFFF).raw("x").stop(),
       "failed: corrupt"},
      {"INT", B().line_int("-12").stop(), "-12"},
      {"INT 01", B().line_int("01").stop(), "True"},
      {"INT 00", B().line_int("00").stop(), "False"},
      {"INT 1", B().line_int("1").stop(), "1"},
      {"INT in hexadecimal", B().line_int("0x10").stop(), "16"},
      {"INT in octal", B().line_int("010").stop(), "8"},
      {"INT too large for 64 bits", B().line_int("123456789012345678901").stop(), "123456789012345678901"},
      {"INT without a number", B().line_int("x").stop(), "failed: corrupt"},
      {"LONG", B().line_long("-12L").stop(), "-12"},
      {"LONG 0 in front", B().line_long("010").stop(), "failed: corrupt"},
      {"LONG with too many digits", B().line_long(std::string(2000000, '9')).stop(), "failed: limit"},
      {"BINFLOAT", B().binfloat(0.1).stop(), "0.1"},
      {"FLOAT", B().line_float("-1.5e3").stop(), "-1500.0"},
      {"FLOAT -0", B().line_float("-0").stop(), "-0.0"},
      {"FLOAT nan", B().line_float("nan").stop(), "nan"},
      {"FLOAT with a blank", B().line_float(" 1").stop(), "failed: corrupt"},
      {"FLOAT with an underscore", B().line_float("1_0").stop(), "failed: corrupt"},
      {"FLOAT too large", B().line_float("1e999").stop(), "failed: corrupt"},
      {"FLOAT inf", B().line_float("inf").stop(), "inf"},
      {"FLOAT too small", B().line_float("-1e-999").stop(), "-0.0"},
      {"FLOAT without a number", B().line_float("1.5x").stop(), "failed: corrupt"},
  });
}

TEST_CASE("an integer with more digits than the limit is kept in hexadecimal") {
  const Ran ran = run_pickle(B().long4(std::string(3000, '\0') + "\x01").stop());
  REQUIRE(ran.tree.kind(ran.result.root) == Kind::kBigInt);
  CHECK(ran.tree.text(ran.result.root) == "0x1" + std::string(6000, '0'));
}

TEST_CASE("text and bytes are read from every opcode that writes them") {
  check({
      {"BINUNICODE", B().unicode("\xc3\xa9").stop(), "\"\xc3\xa9\""},
      {"SHORT_BINUNICODE", B().short_unicode("x").stop(), "\"x\""},
      {"BINUNICODE8", B().unicode8("x").stop(), "\"x\""},
      {"UNICODE", B().line_unicode("a\\u00e9\\\\u0041\xe9").stop(), "\"a\xc3\xa9\\\\\\\\u0041\xc3\xa9\""},
      {"UNICODE beyond Unicode", B().line_unicode("\\U00110000").stop(), "failed: corrupt"},
      {"UNICODE cut short", B().line_unicode("\\u00").stop(), "failed: corrupt"},
      {"STRING", B().line_string("'a\\x41\\102\\\\\\'\\q'").stop(), "\"aAB\\\\'\\\\q\""},
      {"STRING that is not UTF-8", B().line_string("\"\\xff\"").stop(), "b\"\\xff\""},
      {"STRING without quotes", B().line_string("abc").stop(), "failed: corrupt"},
      {"STRING with one quote", B().line_string("'").stop(), "failed: corrupt"},
      {"STRING without its end", B().line_string("'abc").stop(), "failed: corrupt"},
      {"STRING with a cut escape", B().line_string("'\\x4'").stop(), "failed: corrupt"},
      {"SHORT_BINSTRING", B().short_binstring("abc").stop(), "\"abc\""},
      {"BINSTRING that is not UTF-8", B().binstring("\xff\xfe").stop(), "b\"\\xff\\xfe\""},
      {"BINSTRING of length -1", B().declare(pickle::Opcode::kBinString, 0xFFFFFFFF).stop(),
       "failed: corrupt"},
      {"SHORT_BINBYTES", B().short_binbytes("a").stop(), "b\"a\""},
      {"BINBYTES", B().binbytes("a").stop(), "b\"a\""},
      {"BINBYTES8", B().binbytes8("a").stop(), "b\"a\""},
      {"BYTEARRAY8", B().bytearray8("a").stop(), "b\"a\""},
      {"READONLY_BUFFER", B().bytearray8("a").readonly_buffer().stop(), "b\"a\""},
      {"READONLY_BUFFER on nothing", B().readonly_buffer().stop(), "failed: corrupt"},
  });
}

TEST_CASE("containers are built by every opcode that builds them") {
  check({
      {"empty ones", B().empty_tuple().empty_list().empty_dict().tuple3().stop(), "((), [], {})"},
      {"TUPLE1", B().none().tuple1().stop(), "(None,)"},
      {"TUPLE2", B().none().binint1(1).tuple2().stop(), "(None, 1)"},
      {"TUPLE", B().mark().none().binint1(1).tuple().stop(), "(None, 1)"},
      {"LIST", B().mark().none().list().stop(), "[None]"},
      {"DICT", B().mark().unicode("a").none().dict().stop(), "{\"a\": None}"},
      {"APPEND", B().empty_list().none().append().stop(), "[None]"},
      {"APPENDS", B().empty_list().mark().none().none().appends().stop(), "[None, None]"},
      {"SETITEM", B().empty_dict().none().none().setitem().stop(), "{None: None}"},
      {"SETITEMS", B().empty_dict().mark().binint1(1).none().setitems().stop(), "{1: None}"},
      {"ADDITEMS", B().empty_set().mark().none().additems().stop(), "{None}"},
      {"FROZENSET", B().mark().none().frozenset().stop(), "{None}"},
      {"a frozenset as a key", B().empty_dict().mark().frozenset().none().setitem().stop(), "{set(): None}"},
      {"a list in itself", B().empty_list().memoize().binget(0).append().stop(), "[[[[...]]]]"},
      {"a tuple in itself, through POP",
       B().empty_list().memoize().binget(0).tuple1().memoize().append().binget(1).stop(), "([([...],)],)"},
  });
}

TEST_CASE("stack, marks and memo behave as in CPython") {
  check({
      {"DUP", B().none().dup().tuple2().stop(), "(None, None)"},
      {"POP", B().none().binint1(1).pop().stop(), "None"},
      {"POP of a mark", B().none().mark().pop().stop(), "None"},
      {"POP_MARK", B().none().mark().binint1(1).pop_mark().stop(), "None"},
      {"more values than one at STOP", B().binint1(1).binint1(2).stop(), "2"},
      {"BINPUT and BINGET", B().binint1(7).binput(3).pop().binget(3).stop(), "7"},
      {"LONG_BINPUT far away", B().binint1(7).long_binput(0x7FFFFFFF).pop().long_binget(0x7FFFFFFF).stop(),
       "7"},
      {"PUT and GET", B().binint1(7).line_put("12").pop().line_get("12").stop(), "7"},
      {"MEMOIZE counts entries",
       B().binint1(9)
           .line_put("7")
           .binint1(1)
           .memoize()
           .binint1(2)
           .memoize()
           .binget(1)
           .binget(2)
           .tuple2()
           .stop(),
       "(1, 2)"},
      {"a slot that is overwritten", B().none().binput(0).binint1(1).binput(0).binget(0).stop(), "1"},
      {"GET of an unset slot", B().binget(0).stop(), "failed: corrupt"},
      {"GET of text", B().line_get("xyz").stop(), "failed: corrupt"},
      {"PUT of -1", B().none().line_put("-1").stop(), "failed: corrupt"},
      {"PUT of 40 digits", B().none().line_put(std::string(40, '1')).stop(), "failed: corrupt"},
      {"PUT on an empty stack", B().binput(0).stop(), "failed: corrupt"},
      {"STOP on an empty stack", B().proto(2).stop(), "failed: corrupt"},
      {"STOP above a mark", B().none().mark().stop(), "failed: corrupt"},
      {"POP on an empty stack", B().pop().none().stop(), "failed: corrupt"},
      {"DUP on an empty stack", B().dup().stop(), "failed: corrupt"},
      {"REDUCE on an empty stack", B().reduce().stop(), "failed: corrupt"},
      {"REDUCE across a mark", B().global("m", "f").mark().empty_tuple().reduce().stop(), "failed: corrupt"},
      {"TUPLE without a mark", B().none().tuple().stop(), "failed: corrupt"},
      {"POP_MARK without a mark", B().none().pop_mark().stop(), "failed: corrupt"},
      {"APPENDS without a list", B().mark().none().appends().stop(), "failed: corrupt"},
      {"an odd number of items", B().empty_dict().mark().none().setitems().stop(), "failed: corrupt"},
      {"an odd number of items in DICT", B().mark().none().dict().stop(), "failed: corrupt"},
      {"a list as a key", B().empty_dict().empty_list().none().setitem().stop(), "failed: corrupt"},
      {"a dict in a set", B().empty_set().mark().empty_dict().additems().stop(), "failed: corrupt"},
  });
}

TEST_CASE("streams that end early, or hold what is no opcode, fail with the offset") {
  check({
      {"nothing", B(), "failed: truncated"},
      {"PROTO alone", B().proto(2), "failed: truncated"},
      {"no STOP", B().none(), "failed: truncated"},
      {"opcode 0xff", B().none().raw("\xff"), "failed: corrupt"},
      {"opcode 0x00", B().none().raw(std::string(1, '\0')), "failed: corrupt"},
      {"protocol 6", B().proto(6).none().stop(), "failed: unsupported"},
      {"protocol 255", B().proto(255).none().stop(), "failed: unsupported"},
      {"a frame longer than the rest", B().proto(4).frame(500).stop(), "failed: truncated"},
      {"a frame of 2^63", B().proto(4).frame(std::uint64_t{1} << 63).stop(), "failed: truncated"},
      {"EXT4 with a negative code", B().ext4(-1).stop(), "failed: corrupt"},
      {"OBJ without a class", B().mark().obj().stop(), "failed: corrupt"},
  });
  const Ran ran = run_pickle(B().proto(2).none().none().tuple3().stop());
  REQUIRE(ran.result.failure);
  CHECK(ran.result.failure->offset() == 4);
  CHECK(ran.result.failure->text() ==
        "TUPLE3: expected 3 values on the stack, found 2; the pickle is damaged");
}

TEST_CASE("lengths beyond the end of the file fail before anything is allocated") {
  using O = pickle::Opcode;
  // clang-format off
  const std::pair<O, std::uint64_t> rows[] = {
      {O::kBinBytes8, std::uint64_t{1} << 62}, {O::kBinBytes8, ~std::uint64_t{0}},
      {O::kBinUnicode8, std::uint64_t{1} << 61}, {O::kByteArray8, std::uint64_t{1} << 60},
      {O::kBinUnicode, 0xFFFFFFFF}, {O::kBinBytes, 0xFFFFFFFF}, {O::kLong4, 0x7FFFFFFF},
      {O::kLong1, 255}, {O::kShortBinUnicode, 255}, {O::kShortBinBytes, 2},
  };
  // clang-format on
  for (const auto& row : rows) {
    const auto& code = row.first;
    const auto& length = row.second;
    CAPTURE(static_cast<int>(code));
    CAPTURE(length);
    const Ran ran = run_pickle(B().declare(code, length).raw("x"));
    CHECK(ran.shown() == "failed: truncated");
    CHECK(ran.tree.size() == 0);
  }
}

TEST_CASE("calls and instances leave objects behind that hold what they were given") {
  check({
      {"REDUCE", B().global("m", "f").binint1(1).tuple1().reduce().stop(), "m.f(1)"},
      {"NEWOBJ", B().global("m", "C").empty_tuple().newobj().stop(), "m.C()"},
      {"NEWOBJ_EX",
       B().global("m", "C").empty_tuple().empty_dict().unicode("k").none().setitem().newobj_ex().stop(),
       "m.C(k=None)"},
      {"OBJ", B().mark().global("m", "C").none().obj().stop(), "m.C(None)"},
      {"INST", B().mark().none().inst("m", "C").stop(), "m.C(None)"},
      {"BUILD",
       B().global("m", "C").empty_tuple().newobj().empty_dict().unicode("k").none().setitem().build().stop(),
       "m.C(k=None)"},
      {"BUILD on a class", B().global("m", "C").empty_dict().build().stop(), "m.C()"},
      {"PERSID", B().line_persid("some id").stop(), "<persistent id \"some id\">"},
      {"BINPERSID", B().none().tuple1().binpersid().stop(), "<persistent id (None,)>"},
  });
}

TEST_CASE("items and elements given to an object are kept with it") {
  const Ran ran = run_pickle(B().global("m", "C")
                                 .empty_tuple()
                                 .reduce()
                                 .mark()
                                 .unicode("k")
                                 .none()
                                 .setitems()
                                 .mark()
                                 .binint1(1)
                                 .binint1(2)
                                 .appends()
                                 .mark()
                                 .binint1(3)
                                 .additems()
                                 .stop());
  REQUIRE(ran.tree.kind(ran.result.root) == Kind::kObject);
  const value::ObjectParts& parts = ran.tree.object(ran.result.root);
  CHECK(value::repr(ran.tree, parts.items) == "{\"k\": None}");
  CHECK(value::repr(ran.tree, parts.appended) == "[1, 2, 3]");
  CHECK_FALSE(parts.instance);
  CHECK(ran.defects().empty());
}

TEST_CASE("a second BUILD updates the first one and leaves its dict alone") {
  const B first = B().empty_dict().memoize().unicode("a").none().setitem();
  const B second = B().empty_dict().unicode("b").none().setitem();
  const Ran ran = run_pickle(B().global("m", "C")
                                 .empty_tuple()
                                 .newobj()
                                 .insert(first)
                                 .build()
                                 .insert(second)
                                 .build()
                                 .binget(0)
                                 .tuple2()
                                 .stop());
  CHECK(ran.shown() == "(m.C(a=None, b=None), {\"a\": None})");
}

TEST_CASE("BUILD is seen through the memo, because objects have identity") {
  const Ran ran = run_pickle(B().global("m", "C")
                                 .empty_tuple()
                                 .newobj()
                                 .memoize()
                                 .binget(0)
                                 .empty_dict()
                                 .unicode("k")
                                 .none()
                                 .setitem()
                                 .build()
                                 .pop()
                                 .stop());
  CHECK(ran.shown() == "m.C(k=None)");
}

TEST_CASE("what is readable but wrong is a defect, and reading goes on") {
  struct DefectRow {
    const char* name;
    B pickle;
    const char* defects;
    const char* shown;
  };
  // clang-format off
  const DefectRow rows[] = {
      {"nothing wrong", B().proto(2).none().stop(), "", "None"},
      {"SETITEM on a persistent id", B().none().binpersid().none().none().setitem().stop(),
       "pickle-setitem-on-non-dict", "<persistent id None>"},
      {"SETITEMS on an int", B().binint1(1).mark().none().none().setitems().stop(),
       "pickle-setitem-on-non-dict", "1"},
      {"SETITEMS of nothing on an int", B().binint1(1).mark().setitems().stop(), "pickle-setitem-on-non-dict",
       "1"},
      {"APPENDS of nothing on None", B().none().mark().appends().stop(), "pickle-setitem-on-non-dict", "None"},
      {"READONLY_BUFFER on None", B().none().readonly_buffer().stop(), "pickle-opcode-unsupported", "None"},
      {"REDUCE of an int", B().binint1(1).empty_tuple().reduce().stop(), "pickle-malformed", "1()"},
      {"REDUCE with a list", B().global("m", "f").empty_list().reduce().stop(), "pickle-malformed", nullptr},
      {"NEWOBJ with None", B().global("m", "C").none().newobj().stop(), "pickle-malformed", nullptr},
      {"NEWOBJ_EX with a tuple for keywords", B().global("m", "C").empty_tuple().empty_tuple().newobj_ex().stop(),
       "pickle-malformed", nullptr},
      {"a memo slot that picklers never reach", B().none().long_binput(0x7FFFFFFF).stop(), "pickle-malformed",
       "None"},
      {"APPEND on a dict", B().empty_dict().none().append().stop(), "pickle-setitem-on-non-dict", "{}"},
      {"ADDITEMS on a list", B().empty_list().mark().none().additems().stop(), "pickle-setitem-on-non-dict",
       "[]"},
      {"BUILD on an int", B().binint1(1).none().build().stop(), "pickle-opcode-unsupported", "1()"},
      {"EXT1", B().ext1(1).stop(), "pickle-opcode-unsupported", "<class copyreg.<extension 1>>"},
      {"EXT2", B().ext2(0xabcd).stop(), "pickle-opcode-unsupported", "<class copyreg.<extension 43981>>"},
      {"NEXT_BUFFER", B().next_buffer().stop(), "pickle-opcode-unsupported",
       "<persistent id \"<next buffer>\">"},
      {"text that is not UTF-8", B().unicode("\xff\xfe").stop(), "pickle-not-utf8", "\"\\udcff\\udcfe\""},
      {"Python 2's text that is not UTF-8", B().short_binstring("\xff").stop(), "pickle-not-utf8", "b\"\\xff\""},
      {"a lone surrogate", B().unicode("\xed\xa0\x80").stop(), "", "\"\\udced\\udca0\\udc80\""},
      {"a key of 70 kB", B().empty_dict().unicode(std::string(70000, 'k')).none().setitem().stop(),
       "name-too-long", nullptr},
      {"a key twice", B().empty_dict().mark().unicode("a").none().unicode("a").binint1(1).setitems().stop(),
       "pickle-duplicate-key", "{\"a\": 1}"},
      {"1, True and 1.0",
       B().empty_dict().mark().binint1(1).none().boolean(true).none().binfloat(1).binint1(3).setitems()
           .stop(),
       "pickle-duplicate-key", "{1: 3}"},
      {"bytes after STOP", B().none().stop().raw(std::string(64, '\0')), "pickle-trailing-data", "None"},
  };
  // clang-format on
  for (const DefectRow& row : rows) {
    CAPTURE(row.name);
    const Ran ran = run_pickle(row.pickle);
    CHECK(ran.defects() == row.defects);
    if (row.shown != nullptr) CHECK(ran.shown() == row.shown);
    CHECK_FALSE(ran.result.failure);
  }
}

TEST_CASE("defects of one kind are listed up to a bound") {
  B b;
  for (int i = 0; i < 1000; ++i) b.unicode("\xff");
  CHECK(run_pickle(b.stop()).result.defects.size() == 20);
}

TEST_CASE("what can change is no key, at any depth") {
  const auto key = [](const B& pushed) {
    B b;
    return run_pickle(b.empty_dict().insert(pushed).none().setitem().stop()).shown();
  };
  const B fails[] = {B().empty_list(),
                     B().empty_dict(),
                     B().empty_set(),
                     B().bytearray8("x"),
                     B().empty_list().tuple1(),
                     B().empty_dict().tuple1().tuple1(),
                     B().global("collections", "OrderedDict").empty_tuple().reduce(),
                     B().global("builtins", "set").empty_tuple().reduce().tuple1()};
  for (const B& one : fails) CHECK(key(one) == "failed: corrupt");
  CHECK(key(B().mark().none().frozenset()) == "{{None}: None}");
  CHECK(key(B().mark().empty_tuple().frozenset().tuple1()) == "{({()},): None}");
  CHECK(key(B().global("m", "C").empty_tuple().reduce()) == "{m.C(): None}");
  B shared;  // 2^40 paths to one None: Python would hash every one of them
  shared.none();
  for (int level = 0; level < 40; ++level) shared.dup().tuple2();
  CHECK(key(shared) == "failed: limit");
}

TEST_CASE("the result tells protocol, opcodes and end") {
  const Ran ran = run_pickle(B().proto(2).none().proto(4).stop().raw("xyz"));
  CHECK(ran.result.protocol == 4);
  CHECK(ran.result.end == 6);
  CHECK(ran.result.opcodes.count() == 3);
  CHECK(ran.result.opcodes.test(0x80));
  CHECK(run_pickle(B().none().stop()).result.protocol == 0);
}

TEST_CASE("text borrows from the bytes, which the tree keeps alive") {
  value::Tree tree;
  auto bytes = B().unicode("borrowed").stop().shared();
  const void* place = bytes->data() + 5;
  const auto result = pickle::run(bytes, tree, Limits{});
  CHECK(bytes.use_count() == 2);
  bytes.reset();
  CHECK(tree.text(result.root) == "borrowed");
  CHECK(static_cast<const void*>(tree.text(result.root).data()) == place);
}
