#include "tests/support/json_schema.h"

#include <stdexcept>

#include <doctest/doctest.h>

using ckpt::test::schema_problems;
using nlohmann::json;

TEST_CASE("the schema validator finds each kind of violation and takes what is right") {
  const struct {
    const char* schema;
    const char* good;
    const char* bad;
  } cases[] = {
      {R"({"type": "object"})", "{}", "[]"},
      {R"({"type": "integer"})", "1", "1.5"},
      {R"({"type": ["string", "null"]})", "null", "1"},
      {R"({"enum": ["a", 2]})", "2", "\"b\""},
      {R"({"required": ["a"]})", R"({"a": 1})", R"({"b": 1})"},
      {R"({"properties": {"a": {"type": "string"}}})", R"({"a": "x", "b": 1})", R"({"a": 1})"},
      {R"({"properties": {"a": {}}, "additionalProperties": false})", R"({"a": 1})", R"({"b": 1})"},
      {R"({"additionalProperties": {"type": "string"}})", R"({"a": "x"})", R"({"a": 1})"},
      {R"({"items": {"type": "integer"}})", "[1, 2]", "[1, \"x\"]"},
      {R"({"minItems": 1})", "[1]", "[]"},
      {R"({"maxItems": 1})", "[1]", "[1, 2]"},
      {R"({"uniqueItems": true})", "[1, 2]", "[1, 1]"},
      {R"({"minimum": -1})", "-1", "-2"},
      {R"({"maximum": 5})", "5", "6"},
      {R"({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]})", R"({"b": 1})", "{}"},
      {R"({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]})", R"({"b": 1})", R"({"a": 1, "b": 1})"},
      {R"({"allOf": [{"required": ["a"]}, {"required": ["b"]}]})", R"({"a": 1, "b": 1})", R"({"a": 1})"},
      {R"({"not": {"type": "string"}})", "1", "\"x\""},
      {R"({"$ref": "#/definitions/x", "definitions": {"x": {"type": "string"}}})", "\"x\"", "1"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.schema);
    CHECK(schema_problems(json::parse(each.schema), json::parse(each.good)).empty());
    CHECK(schema_problems(json::parse(each.schema), json::parse(each.bad)).size() == 1);
  }
}

TEST_CASE("the schema validator refuses a schema with words that it does not know") {
  CHECK_THROWS_AS(schema_problems(json::parse(R"({"patternProperties": {}})"), 1), std::logic_error);
  CHECK_THROWS_AS(schema_problems(json::parse(R"({"$ref": "http://x"})"), 1), std::logic_error);
}

TEST_CASE("the schema validator says where the violation is") {
  const json schema = json::parse(R"({"properties": {"a": {"items": {"type": "string"}}}})");
  CHECK(schema_problems(schema, json::parse(R"({"a": ["x", 1]})")).front().starts_with("/a/1: "));
}
