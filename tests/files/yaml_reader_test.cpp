#include "files/yaml_reader.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "base/error.h"

using namespace ckpt;

namespace {

std::string error_of(std::string_view text) {
  try {
    read_yaml(text, "t.yaml");
  } catch (const Error& e) {
    CHECK(e.code() == ErrorCode::kUsage);
    return e.text();
  }
  return "no error";
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("YAML that could be read in two ways, or not at all, is refused with its position") {
  struct Case {
    std::string text, error;
  };
  const Case cases[] = {
      {"", "t.yaml:1:1: the file is empty: expected a map"},
      {"# only a comment\n", "t.yaml:1:1: the file is empty: expected a map"},
      {"~", "t.yaml:1:1: the file is empty: expected a map"},
      {"strict", "t.yaml:1:1: expected a map, but found 'strict'"},
      {"\n- a\n", "t.yaml:2:1: expected a map, but found a list"},
      {"a: 1\nb: 2\na: 3\n", "t.yaml:3:1: the key 'a' appears twice: remove one of them"},
      {"r: {a: 1, \"a\": 2}\n", "t.yaml:1:11: the key 'a' appears twice: remove one of them"},
      {"a: &x 1\n", "t.yaml:1:4: anchors (&name) are not supported: write out the value where it is needed"},
      {"a: &x [*x, *x]\n",
       "t.yaml:1:4: anchors (&name) are not supported: write out the value where it is needed"},
      {"a: &x {<<: *x}\n",
       "t.yaml:1:4: anchors (&name) are not supported: write out the value where it is needed"},
      {"a: !!python/object/apply:os.system [ls]\n",
       "t.yaml:1:4: tags are not supported, but this value has the tag "
       "'tag:yaml.org,2002:python/object/apply:os.system': remove it"},
      {"a: !!str 1\n",
       "t.yaml:1:4: tags are not supported, but this value has the tag 'tag:yaml.org,2002:str': remove it"},
      {"a: 1\n---\nb: 2\n",
       "t.yaml:2:1: a second document starts here, but only one is read: remove the '---'"},
      {"[a]: 1\n", "t.yaml:1:1: a key must be a word, not a list or a map"},
      {"~: 1\n", "t.yaml:1:1: a key must be a word, not nothing"},
      {"a: \xFF\n", "t.yaml:1:1: not UTF-8: save the file as UTF-8 text"},
      {"\xFF\xFE"
       "a\n",
       "t.yaml:1:1: not UTF-8: save the file as UTF-8 text"},
      {std::string("a: 1\nb: \0 2\n", 12),
       "t.yaml:2:4: the control character 0x00: YAML files are plain UTF-8 text"},
      // yaml-cpp takes this byte for the end of the file.
      {"a: 1\n\x04"
       "b: 2\n",
       "t.yaml:2:1: the control character 0x04: YAML files are plain UTF-8 text"},
      {"a: 1\n\tb: 2\n", "t.yaml:2:1: a TAB in the indentation: YAML is indented with spaces"},
      {"a: " + repeated("[", 17) + repeated("]", 17), "t.yaml:1:19: more than 16 nested lists and maps"},
      {"a: " + repeated("{b: ", 17), "t.yaml:1:64: more than 16 nested lists and maps"},
      {repeated("- ", 17), "t.yaml:1:33: more than 16 nested lists and maps"},
      {"a: " + repeated("x", 1 << 20), "t.yaml:1:1: 1.0 MiB of YAML: at most 1.0 MiB are read"},
  };
  for (const Case& c : cases) {
    const std::string text = c.text.substr(0, 80);
    CAPTURE(text);
    CHECK(error_of(c.text) == c.error);
  }
}

TEST_CASE("an alias without an anchor is refused") { CHECK(error_of("a: *x\n").starts_with("t.yaml:1:")); }

TEST_CASE("a hostile rule file is refused fast and without deep recursion") {
  for (const std::string& text : {repeated("[", 100'000), repeated("{a: ", 50'000), repeated("- ", 50'000),
                                  repeated("? ", 50'000), "a: " + repeated("[{a: ", 20'000)}) {
    const std::string head = text.substr(0, 10);
    CAPTURE(head);
    CHECK(error_of(text) != "no error");
  }
}

TEST_CASE("scalars keep their spelling, their position and whether they were quoted") {
  const YamlNode root = read_yaml(
      "\xEF\xBB\xBF"
      "a: off\nb: [1.10, \"no\", ~]\nc: |\n  x\n",
      "t.yaml");
  REQUIRE(root.is_map());
  REQUIRE(root.keys.size() == 3);
  CHECK(root.find("a")->text == "off");
  CHECK(root.find("a")->plain);
  const YamlNode& list = *root.find("b");
  REQUIRE(list.items.size() == 3);
  CHECK(list.items[0].text == "1.10");
  CHECK(list.items[1].text == "no");
  CHECK_FALSE(list.items[1].plain);
  CHECK(list.items[1].line == 2);
  CHECK(list.items[1].column == 11);
  CHECK(list.items[2].kind == YamlNode::Kind::kNull);
  CHECK(root.find("c")->text == "x\n");
  CHECK_FALSE(root.find("c")->plain);
  CHECK(root.find("missing") == nullptr);
}

TEST_CASE("a TAB in the indentation is named as that, one elsewhere is text") {
  const std::string tab = ": a TAB in the indentation: YAML is indented with spaces";
  CHECK(error_of("a: 1\nb:\n\tc: 2\n") == "t.yaml:3:1" + tab);
  CHECK(error_of("b:\n  c: 2\n \td: 3\n") == "t.yaml:3:2" + tab);
  CHECK(error_of("rules:\n\t- a\n") == "t.yaml:2:1" + tab);
  CHECK(error_of("a: 1\t# comment\nb: \"x\ty\"\n\t\nc: |\n  \tx\n") == "no error");
  CHECK(error_of("a: [1\n").find("TAB") == std::string::npos);
}
