#include "lint/rules_schema.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "lint/check.h"
#include "lint/rule_set.h"

namespace ckpt::lint {
namespace {

using json = nlohmann::ordered_json;

json def(const std::string& name) { return {{"$ref", "#/$defs/" + name}}; }

// A list of them, or a single one.
json some(const json& item) { return {{"anyOf", {item, {{"type", "array"}, {"items", item}}}}}; }

json words_of(const ParamSpec& spec) {
  return spec.choices.empty() ? def("text") : json{{"enum", spec.choices}};
}

json number_of(const ParamSpec& spec, const char* type) {
  json out = {{"type", type}};
  if (std::isfinite(spec.lowest)) out["minimum"] = spec.lowest;
  if (std::isfinite(spec.highest)) out["maximum"] = spec.highest;
  return out;
}

json value_of(const ParamSpec& spec) {
  switch (spec.type) {
    case ParamType::kBool: return {{"type", "boolean"}};
    case ParamType::kInteger: return number_of(spec, "integer");
    case ParamType::kNumber: return number_of(spec, "number");
    case ParamType::kString: return words_of(spec);
    case ParamType::kStrings:
    case ParamType::kGlobs: return some(words_of(spec));
    case ParamType::kManifest:
    case ParamType::kValueFile: return def("text");
    case ParamType::kExpect: return {{"type", "object"}};
  }
  return {};
}

json params_of(const Check& check) {
  json out = json::object();
  for (const ParamSpec& spec : check.params) {
    out[std::string(spec.name)] = value_of(spec);
    out[std::string(spec.name)]["description"] = spec.help;
  }
  return out;
}

// What every rule may say.
json common_keys() {
  json keys = {
      {"level", def("level")},
      {"check", {{"enum", json::array()}}},
      {"select",
       {{"type", "object"},
        {"properties", {{"tensors", def("texts")}, {"paths", def("texts")}, {"ignore", def("texts")}}},
        {"additionalProperties", false}}},
      {"ignore", def("texts")},
      {"unless", def("texts")},
      {"resuming", {{"type", "boolean"}}},
      {"same-run", {{"type", "boolean"}}},
      {"message", def("text")},
      {"messages",
       {{"type", "object"}, {"additionalProperties", {{"anyOf", {def("text"), {{"type", "object"}}}}}}}},
      {"tags", def("texts")},
      {"references", def("texts")}};
  for (const Check* check : checks()) keys["check"]["enum"].push_back(check->name);
  for (const char* const name : {"title", "what", "why", "fix", "snippet", "intended", "example"})
    keys[name] = def("text");
  return keys;
}

// The keys of a rule on this check; parameters stand among them, or below `params`.
json entry_of(const Check& check) {
  json keys = common_keys();
  const json params = params_of(check);
  keys["params"] = {{"type", "object"}, {"properties", params}, {"additionalProperties", false}};
  keys.update(params);
  return {{"type", "object"}, {"properties", keys}, {"additionalProperties", false}};
}

json rules_of(std::span<const Rule> rules) {
  json known = json::object();
  for (const Rule& rule : rules)
    known[rule.info.id] = {{"description", rule.info.title},
                           {"anyOf", {def("level"), def("check-" + std::string(rule.check->name))}}};
  json own = {{"type", "object"}, {"required", json::array({"check"})}, {"allOf", json::array()}};
  for (const Check* check : checks())
    own["allOf"].push_back({{"if", {{"properties", {{"check", {{"const", check->name}}}}}}},
                            {"then", def("check-" + std::string(check->name))}});
  // A level alone is for a rule of a file that this one extends.
  return {{"type", "object"},
          {"properties", known},
          {"additionalProperties",
           {{"anyOf",
             {def("level"), own, {{"type", "object"}, {"not", {{"required", json::array({"check"})}}}}}}}}};
}

json list_of(const json& properties, const json& required) {
  const json entry = {{"type", "object"},
                      {"properties", properties},
                      {"required", required},
                      {"additionalProperties", false}};
  return {{"type", "array"}, {"items", entry}};
}

}  // namespace

std::string rules_schema(std::span<const Rule> rules) {
  json defs = {
      {"level", {{"enum", {"error", "warning", "note", "off", false}}}},
      {"profile", {{"enum", profile_names()}}},
      {"text", {{"type", {"string", "number", "boolean"}}}},  // 2.6 and yes are texts, where texts are wanted
      {"texts", some(def("text"))}};
  for (const Check* check : checks()) defs["check-" + std::string(check->name)] = entry_of(*check);
  defs["rules"] = rules_of(rules);
  const json keys = {
      {"extends", def("texts")},
      {"set", def("text")},
      {"profile", def("profile")},
      {"exclude", def("texts")},
      {"rules", def("rules")},
      {"overrides", list_of({{"files", def("texts")}, {"profile", def("profile")}, {"rules", def("rules")}},
                            json::array({"files"}))},
      {"suppressions", list_of({{"rule", def("text")},
                                {"files", def("texts")},
                                {"paths", def("texts")},
                                {"reason", def("text")},
                                {"expires", def("text")}},
                               json::array({"rule", "reason"}))},
      {"tests", list_of({{"file", def("text")},
                         {"against", def("text")},
                         {"fires", def("texts")},
                         {"silent", def("texts")}},
                        json::array({"file"}))}};
  const json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                       {"title", "A rule file of ckpt-lint, such as .ckpt-lint.yaml"},
                       {"type", "object"},
                       {"properties", keys},
                       {"additionalProperties", false},
                       {"$defs", defs}};
  return schema.dump(1) + "\n";
}

}  // namespace ckpt::lint
