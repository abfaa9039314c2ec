#include "tests/support/json_schema.h"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace ckpt::test {
namespace {

using nlohmann::json;

class Validator {
 public:
  explicit Validator(const json& root) : root_(root) {}

  void check(const json& schema, const json& value, const std::string& where);
  std::vector<std::string> take() { return std::move(problems_); }

 private:
  void report(const std::string& where, const std::string& what) {
    problems_.push_back((where.empty() ? "/" : where) + ": " + what);
  }
  bool is_valid(const json& schema, const json& value) const {
    Validator inner(root_);
    inner.check(schema, value, "");
    return inner.problems_.empty();
  }
  void check_numbers(const json& schema, const json& value, const std::string& where);
  void check_object(const json& schema, const json& value, const std::string& where);
  void check_array(const json& schema, const json& value, const std::string& where);
  void check_choices(const json& schema, const json& value, const std::string& where);

  const json& root_;
  std::vector<std::string> problems_;
};

bool has_type(const json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  throw std::logic_error("JSON schema: unknown type " + type);
}

void check_keywords(const json& schema) {
  static const std::set<std::string> kKnown = {
      "$schema", "id",      "title",   "description", "default",  "definitions", "format",
      "pattern", "type",    "$ref",    "properties",  "required", "items",       "additionalProperties",
      "enum",    "minimum", "maximum", "minItems",    "maxItems", "uniqueItems", "anyOf",
      "oneOf",   "allOf",   "not"};
  for (const auto& [name, unused] : schema.items()) {
    if (!kKnown.contains(name)) throw std::logic_error("JSON schema: unknown keyword " + name);
  }
}

void Validator::check(const json& schema, const json& value, const std::string& where) {
  check_keywords(schema);
  if (schema.contains("$ref")) {  // draft-04: its siblings are ignored
    const std::string target = schema["$ref"];
    if (!target.starts_with("#")) throw std::logic_error("JSON schema: a reference to elsewhere, " + target);
    check(root_.at(json::json_pointer(target.substr(1))), value, where);
    return;
  }
  if (schema.contains("type")) {
    const json& type = schema["type"];
    const bool ok = type.is_array() ? std::any_of(type.begin(), type.end(),
                                                  [&](const json& t) { return has_type(value, t); })
                                    : has_type(value, type);
    if (!ok) report(where, "is not of type " + type.dump());
  }
  if (schema.contains("enum")) {
    const json& choices = schema["enum"];
    if (std::find(choices.begin(), choices.end(), value) == choices.end())
      report(where, "is not one of " + choices.dump());
  }
  check_numbers(schema, value, where);
  check_object(schema, value, where);
  check_array(schema, value, where);
  check_choices(schema, value, where);
}

void Validator::check_numbers(const json& schema, const json& value, const std::string& where) {
  if (!value.is_number()) return;
  if (schema.contains("minimum") && value < schema["minimum"]) report(where, "is below the minimum");
  if (schema.contains("maximum") && value > schema["maximum"]) report(where, "is above the maximum");
}

void Validator::check_object(const json& schema, const json& value, const std::string& where) {
  if (!value.is_object()) return;
  for (const json& name : schema.value("required", json::array())) {
    if (!value.contains(name.get<std::string>())) report(where, "lacks " + name.dump());
  }
  const json properties = schema.value("properties", json::object());
  const json others = schema.value("additionalProperties", json(true));
  for (const auto& [name, member] : value.items()) {
    const std::string place = where + "/" + name;
    if (properties.contains(name)) {
      check(properties[name], member, place);
    } else if (others.is_object()) {
      check(others, member, place);
    } else if (!others.get<bool>()) {
      report(place, "is not allowed here");
    }
  }
}

void Validator::check_array(const json& schema, const json& value, const std::string& where) {
  if (!value.is_array()) return;
  if (schema.contains("minItems") && value.size() < schema["minItems"]) report(where, "has too few items");
  if (schema.contains("maxItems") && value.size() > schema["maxItems"]) report(where, "has too many items");
  if (schema.value("uniqueItems", false)) {
    const std::set<json> distinct(value.begin(), value.end());
    if (distinct.size() != value.size()) report(where, "has the same item twice");
  }
  if (!schema.contains("items")) return;
  const json& items = schema["items"];
  if (!items.is_object()) throw std::logic_error("JSON schema: items is not one schema");
  for (std::size_t i = 0; i < value.size(); ++i) check(items, value[i], where + "/" + std::to_string(i));
}

void Validator::check_choices(const json& schema, const json& value, const std::string& where) {
  const auto matching = [&](const char* keyword) {
    const json& choices = schema[keyword];
    return std::count_if(choices.begin(), choices.end(), [&](const json& s) { return is_valid(s, value); });
  };
  if (schema.contains("anyOf") && matching("anyOf") == 0) report(where, "matches none of anyOf");
  if (schema.contains("oneOf") && matching("oneOf") != 1)
    report(where, "does not match exactly one of oneOf");
  if (schema.contains("allOf")) {
    for (const json& each : schema["allOf"]) check(each, value, where);
  }
  if (schema.contains("not") && is_valid(schema["not"], value)) report(where, "matches what it must not");
}

}  // namespace

std::vector<std::string> schema_problems(const json& schema, const json& document) {
  Validator validator(schema);
  validator.check(schema, document, "");
  return validator.take();
}

}  // namespace ckpt::test
