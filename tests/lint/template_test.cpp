#include "lint/template.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "lint/engine.h"
#include "tests/lint/library.h"

using namespace ckpt::lint;

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

TEST_CASE("the fields of a message come in their order, each once") {
  CHECK(template_fields("{b} and {a}, {b} in {path}") == std::vector<std::string>{"b", "a", "path"});
  CHECK(template_fields("no { field").empty());
}

TEST_CASE("a message with a field that its check does not have is refused") {
  CHECK(check_template("{old} at {path} in {file}: {new}", test::kDrift).empty());
  CHECK(check_template("{odl}", test::kDrift) ==
        "unknown field 'odl' (did you mean 'old'?); the check 'drift' has: old, new, path, file");
  CHECK(check_template("{{old}}", test::kDrift) ==
        "an unmatched brace: braces enclose the name of a field, as in {path}");
  CHECK(check_template("x }", test::kDrift) ==
        "an unmatched brace: braces enclose the name of a field, as in {path}");
  CHECK(check_template("{}", test::kDrift).starts_with("unknown field ''"));
}
