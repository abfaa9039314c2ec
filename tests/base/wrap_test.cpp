#include "base/wrap.h"

#include <string>

#include <doctest/doctest.h>

using ckpt::wrapped;

namespace {

TEST_CASE("text is wrapped at spaces, by characters and not by bytes") {
  CHECK(wrapped("", 10, 0).empty());
  CHECK(wrapped("one two", 10, 0) == "one two\n");
  CHECK(wrapped("one two three", 7, 0) == "one two\nthree\n");
  CHECK(wrapped("ää öö üü", 5, 0) == "ää öö\nüü\n");
}

TEST_CASE("a word that is longer than the line is not broken") {
  CHECK(wrapped("a incomprehensible b", 6, 2) == "  a\n  incomprehensible\n  b\n");
}

TEST_CASE("lines stay lines, empty ones too") {
  CHECK(wrapped("one\n\ntwo three", 5, 0) == "one\n\ntwo\nthree\n");
}

TEST_CASE("the first line begins with what is given, filled up to the indent") {
  CHECK(wrapped("aa bb cc", 7, 4, "-x") == "-x  aa\n    bb\n    cc\n");
}

}  // namespace
