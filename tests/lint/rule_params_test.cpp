#include "lint/rule_params.h"

#include <cstdint>
#include <limits>
#include <string>
#include <variant>

#include <doctest/doctest.h>

#include "base/error.h"

using namespace ckpt;
using namespace ckpt::lint;

namespace {

report::Value convert(ParamType type, const std::string& yaml) {
  const ParamSpec spec = {"p", type, "", ""};
  const YamlNode root = read_yaml("v: " + yaml + "\n", "t.yaml");
  return convert_param("t.yaml", root.items[0], spec, "r");
}

std::string error_of(ParamType type, const std::string& yaml) {
  try {
    convert(type, yaml);
  } catch (const Error& e) {
    return e.text();
  }
  return "no error";
}

}  // namespace

TEST_CASE("numbers are decimal and finite, and nothing else is taken for one") {
  struct Good {
    std::string text;
    double value;
  };
  for (const Good& c :
       {Good{"1e-4", 1e-4}, {"1.0e-4", 1e-4}, {".5", 0.5}, {"+2", 2}, {"-3.", -3}, {"0", 0}, {"0.10", 0.1}}) {
    CAPTURE(c.text);
    CHECK(std::get<double>(convert(ParamType::kNumber, c.text).data()) == c.value);
  }
  for (const std::string text : {"\"1\"", "'0.5'", ".nan", "nan", ".inf", "inf", "0777", "1_000", "0x10",
                                 "1e", "e5", ".", "-x", "1 2", "true", "[1]", "{a: 1}", "~", "''"}) {
    CAPTURE(text);
    CHECK(error_of(ParamType::kNumber, text)
              .starts_with("t.yaml:1:4: parameter 'p' of rule 'r' must be a number (finite, without quotes), "
                           "not "));
  }
  for (const std::string text : {"1e999999", "-1e400", "1e-400"}) {
    CAPTURE(text);
    CHECK(error_of(ParamType::kNumber, text) ==
          "t.yaml:1:4: parameter 'p' of rule 'r' must be a number that fits 64-bit floating point, not "
          "\'" +
              text + "'");
  }
}

TEST_CASE("whole numbers are not negative and fit 64 bits") {
  CHECK(std::get<std::int64_t>(convert(ParamType::kInteger, "65536").data()) == 65536);
  CHECK(std::get<std::int64_t>(convert(ParamType::kInteger, "9223372036854775807").data()) == INT64_MAX);
  for (const std::string text : {"-1", "1.0", "1e3", "9223372036854775808", "\"3\"", "007", "1_000"}) {
    CAPTURE(text);
    CHECK(error_of(ParamType::kInteger, text)
              .starts_with("t.yaml:1:4: parameter 'p' of rule 'r' must be a whole number, 0 or more, not '"));
  }
}

TEST_CASE("booleans are true and false only") {
  CHECK(std::get<bool>(convert(ParamType::kBool, "true").data()));
  CHECK_FALSE(std::get<bool>(convert(ParamType::kBool, "false").data()));
  for (const std::string text : {"yes", "no", "on", "off", "True", "1", "\"true\"", "~"}) {
    CAPTURE(text);
    CHECK(error_of(ParamType::kBool, text)
              .starts_with("t.yaml:1:4: parameter 'p' of rule 'r' must be true or false, not "));
  }
}

TEST_CASE("a text is what is written, whatever another YAML reader makes of it") {
  for (const std::string text : {"no", "1.10", "0777", "off", "2.0.0"}) {
    CAPTURE(text);
    CHECK(std::get<std::string>(convert(ParamType::kString, text).data()) == text);
  }
  CHECK(error_of(ParamType::kString, "[a]") ==
        "t.yaml:1:4: parameter 'p' of rule 'r' must be a string, not a list");
  CHECK(std::get<report::List>(convert(ParamType::kStrings, "lr").data()).size() == 1);
  CHECK(std::get<report::List>(convert(ParamType::kStrings, "[a, b]").data()).size() == 2);
  CHECK(error_of(ParamType::kStrings, "[a, [b]]") ==
        "t.yaml:1:8: parameter 'p' of rule 'r' must be a string, not a list");
}

TEST_CASE("a parameter takes what is among its choices and within its range") {
  static constexpr std::string_view kChoices[] = {"added", "removed"};
  const auto error = [](const ParamSpec& spec, const std::string& text) -> std::string {
    const YamlNode root = read_yaml("x: " + text, "t.yaml");
    try {
      convert_param("t.yaml", root.items.front(), spec, "r");
    } catch (const Error& e) {
      return e.text();
    }
    return "";
  };
  const ParamSpec word{"p", ParamType::kString, "", "", kChoices},
      words{"p", ParamType::kStrings, "", "", kChoices};
  const ParamSpec part{"p", ParamType::kNumber, "", "", {}, 0, 1},
      count{"p", ParamType::kInteger, "", "", {}, 1};
  const ParamSpec top{"p", ParamType::kNumber, "", "", {}, -std::numeric_limits<double>::infinity(), 5};
  CHECK(error(word, "added").empty());
  CHECK(error(word, "add") ==
        "t.yaml:1:4: parameter 'p' of rule 'r' must be one of added, removed, not 'add'");
  CHECK(error(words, "[added, removed]").empty());
  CHECK(error(words, "[added, x]") ==
        "t.yaml:1:12: parameter 'p' of rule 'r' must be one of added, removed, not 'x'");
  CHECK(error(part, "1").empty());
  CHECK(error(part, "0.0").empty());
  CHECK(error(part, "1.01") == "t.yaml:1:4: parameter 'p' of rule 'r' must be from 0 to 1, not '1.01'");
  CHECK(error(part, "-0.1").find("from 0 to 1") != std::string::npos);
  CHECK(error(count, "0") == "t.yaml:1:4: parameter 'p' of rule 'r' must be 1 or more, not '0'");
  CHECK(error(top, "6") == "t.yaml:1:4: parameter 'p' of rule 'r' must be 5 or less, not '6'");
  CHECK(type_text(word) == "string: added | removed");
  CHECK(type_text(part) == "number, from 0 to 1");
  CHECK(type_text(count) == "integer, 1 or more");
}

TEST_CASE("a pattern that is none is an error where it stands, never a pattern without matches") {
  CHECK(std::get<report::List>(convert(ParamType::kGlobs, "[\"a.**\"]").data()).size() == 1);
  CHECK(error_of(ParamType::kGlobs, "[a, \"\"]").starts_with("t.yaml:1:8: "));
  CHECK(error_of(ParamType::kExpect, "{\"\": 1}").starts_with("t.yaml:1:5: "));
}

TEST_CASE("conditions keep numbers, texts, lists and maps, and refuse what YAML readers disagree on") {
  const auto value =
      convert(ParamType::kExpect,
              "{lr: {max: 0.01}, n: 64, opt: {one-of: [adam, \"no\", \"1\"]}, v: 2.1.0, f: true, z: ~}");
  const auto& object = std::get<report::Object>(value.data());
  REQUIRE(object.size() == 6);
  CHECK(object[0].name == "lr");
  CHECK(std::get<double>(std::get<report::Object>(object[0].value.data()).at(0).value.data()) == 0.01);
  CHECK(std::get<std::int64_t>(object[1].value.data()) == 64);
  const auto& choices =
      std::get<report::List>(std::get<report::Object>(object[2].value.data()).at(0).value.data());
  REQUIRE(choices.size() == 3);
  CHECK(std::get<std::string>(choices[1].data()) == "no");
  CHECK(std::get<std::string>(choices[2].data()) == "1");
  CHECK(std::get<std::string>(object[3].value.data()) == "2.1.0");
  CHECK(std::get<bool>(object[4].value.data()));
  CHECK(object[5].value.is_null());
  for (const std::string text :
       {"no", "Yes", "off", "True", "0777", "1_000", "0x1F", "10:30", ".inf", "-.inf", ".NaN"}) {
    CAPTURE(text);
    CHECK(error_of(ParamType::kExpect, "{a: " + text + "}") ==
          "t.yaml:1:8: '" + text +
              "' means different things to different YAML readers: quote it if it is a string, "
              "or write true, false or a plain decimal number");
  }
  CHECK(error_of(ParamType::kExpect, "{a: 1e999}").find("must be a number that fits") != std::string::npos);
}
