#include <filesystem>

#include <doctest/doctest.h>

#include "report/reporters/sarif_message.h"
#include "report/reporters/sarif_places.h"

using namespace ckpt::report;

TEST_CASE("a rule's template becomes a message string with quoted, numbered placeholders and a period") {
  const struct {
    const char* rule;
    const char* text;
    std::size_t fields;
  } cases[] = {
      {"", "'{0}' in '{1}': '{2}'.", 0},
      {"absent", "'{0}' in '{1}': absent.", 0},
      {"{a} and '{b}' and {a}.", "'{0}' in '{1}': '{2}' and '{3}' and '{2}'.", 2},
      {"{path} in {file}: {x-y}", "'{0}' in '{1}': '{0}' in '{1}': '{2}'.", 1},
      {"a { b } {", "'{0}' in '{1}': a ( b ) (.", 0},
      {"{}", "'{0}' in '{1}': ().", 0},
  };
  for (const auto& each : cases) {
    CAPTURE(each.rule);
    const auto made = sarif::message_string(each.rule);
    CHECK(made.text == each.text);
    CHECK(made.fields.size() == each.fields);
  }
}

TEST_CASE("awkward characters of a key are escaped in SARIF messages, the path stays the same") {
  const struct {
    const char* text;
    const char* escaped;
  } cases[] = {
      {"optimizer_states[0].state[3]", "optimizer_states[0].state[3]"},
      {"c[\"E{'a': 1}\"].n", "c[\"E\\u007b'a': 1\\u007d\"].n"},
      {"s[\"a[0]<b>|`\"][0]", "s[\"a\\u005b0\\u005d\\u003cb\\u003e\\u007c\\u0060\"][0]"},
      {"s[\"q\\\"[\"][1]", "s[\"q\\\"\\u005b\"][1]"},
      {"[3, 17]", "[3, 17]"},
      {"[x](y)", "[x\\u005d(y)"},
      {"0.1 -> 0.2, 1 < 2", "0.1 -> 0.2, 1 < 2"},
      {"<b>", "\\u003cb>"},
      {"{0}", "\\u007b0\\u007d"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.text);
    CHECK(sarif::escape_argument(each.text) == each.escaped);
  }
  CHECK(sarif::escape_file_name("a[1].ckpt") == "a\\u005b1\\u005d.ckpt");
}

TEST_CASE("URIs are normalised, relative where they can be, and percent-encoded") {
  const std::string here = std::filesystem::current_path().string();
  const struct {
    std::string path;
    std::string uri;
    bool relative;
  } cases[] = {
      {"model.ckpt", "model.ckpt", true},
      {"./a//b/../c.ckpt", "a/c.ckpt", true},
      {"dir/", "dir", true},
      {"a b#1%?\xC3\xA9.ckpt", "a%20b%231%25%3F%C3%A9.ckpt", true},
      {"a:b", "a%3Ab", true},
      {"\xFF\n", "%FF%0A", true},
      {here + "/x/y.ckpt", "x/y.ckpt", true},
      {"/no/such/dir/x.ckpt", "file:///no/such/dir/x.ckpt", false},
      {"/no/../x y", "file:///x%20y", false},
  };
  for (const auto& each : cases) {
    CAPTURE(each.path);
    const sarif::Uri uri = sarif::to_uri(each.path);
    CHECK(uri.text == each.uri);
    CHECK(uri.relative == each.relative);
  }
  CHECK_FALSE(sarif::to_uri("../x.ckpt").relative);
  CHECK(sarif::to_uri("../x.ckpt").text.find("..") == std::string::npos);
  CHECK_FALSE(sarif::to_uri(".").relative);
}
