#include "lint/template.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/lint/library.h"

using namespace ckpt::lint;

namespace {
const auto kOwner = [] { return std::string("the check 'drift'"); };
}

TEST_CASE("a message is filled with fields once; what a field contains is not filled again") {
  const Field fields[] = {{"a", "{b}"}, {"b", "B"}};
  struct Case {
    std::string message, filled;
  };
  for (const Case& c : {Case{"{a} of {b}", "{b} of B"},
                        {"{b}{b}", "BB"},
                        {"", ""},
                        {"{c} {", "{c} {"},
                        {"{{b}}", "{B}"},
                        {"x}{b", "x}{b"},
                        {"{}", "{}"}}) {
    CAPTURE(c.message);
    CHECK(fill_template(c.message, fields) == c.filled);
  }
}

TEST_CASE("a field with a noun is a number and the noun in its number") {
  const Field one[] = {{"n", "1"}}, many[] = {{"n", "1,024"}};
  CHECK(fill_template("{n:weight} in {n:entry|entries}", one) == "1 weight in 1 entry");
  CHECK(fill_template("{n:weight} in {n:entry|entries}", many) == "1,024 weights in 1,024 entries");
  CHECK(fill_template("{m:weight}", one) == "{m:weight}");
  CHECK(template_fields("{n:weight} {n} {n:weight}") == std::vector<std::string>{"n:weight", "n"});
  constexpr std::string_view kFields = "n";
  CHECK(check_template("{n:parameter group}", kFields, kOwner).empty());
  CHECK(check_template("{n:}", kFields, kOwner) == "a noun is missing in '{n:}', as in {count:weight}");
  CHECK(check_template("{m:weight}", kFields, kOwner).starts_with("unknown field 'm'"));
}

TEST_CASE("the fields of a message come in their order, each once") {
  CHECK(template_fields("{b} and {a}, {b} in {path}") == std::vector<std::string>{"b", "a", "path"});
  CHECK(template_fields("no { field").empty());
}

TEST_CASE("a message with a field that its check does not have is refused") {
  constexpr std::string_view kOldNew = "old new";
  CHECK(check_template("{old} at {path} in {file}: {new}", kOldNew, kOwner).empty());
  CHECK(check_template("{odl}", kOldNew, kOwner) ==
        "unknown field 'odl' (did you mean 'old'?); the check 'drift' has: old, new, path, file");
  CHECK(check_template("{{old}}", kOldNew, kOwner) ==
        "an unmatched brace: braces enclose the name of a field, as in {path}");
  CHECK(check_template("x }", kOldNew, kOwner) ==
        "an unmatched brace: braces enclose the name of a field, as in {path}");
  CHECK(check_template("{}", kOldNew, kOwner).starts_with("unknown field ''"));
}
