#include "tests/support/sarif_checker.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/text.h"

namespace ckpt::test {
namespace {

using nlohmann::json;

constexpr std::int64_t kMaxInteger = 2147483647;

class Checker {
 public:
  Checker(const json& log, report::SarifProfile profile)
      : run_(log.at("runs").at(0)),
        driver_(run_.at("tool").at("driver")),
        github_(profile == report::SarifProfile::kGithub) {}

  std::vector<std::string> run(const json& log);

 private:
  void expect(bool ok, const std::string& what) {
    if (!ok) problems_.push_back(where_ + ": " + what);
  }
  void check_strings(const json& value, const std::string& key);
  void check_integers(const json& value);
  void check_descriptors(const char* name);
  void check_artifacts();
  void check_logical_locations();
  void check_location(const json& location);
  void check_region(const json& physical, const json& location);
  void check_suppressions(const json& result);
  void check_states();
  void check_artifact_location(const json& location);
  void check_uri(const std::string& uri, bool relative);
  void check_message(const json& message, const json& descriptor);
  void check_result(const json& result);
  void check_notifications();

  const json& run_;
  const json& driver_;
  bool github_;
  bool text_regions_ = false;
  std::string where_ = "run";
  std::vector<std::string> problems_;
  std::set<std::tuple<std::string, std::string, std::string>> fingerprints_;
};

// "'{0}' in '{1}'" with the arguments; anything in braces must be a number in range.
std::string substituted(const std::string& text, const json& arguments) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '}') return "a brace alone";
    if (text[i] != '{') {
      out += text[i];
      continue;
    }
    const std::size_t close = text.find('}', i);
    const std::size_t number = std::stoul(text.substr(i + 1, close - i - 1));
    if (number >= arguments.size()) return "an argument too few";
    if (i == 0 || text[i - 1] != '\'' || text.at(close + 1) != '\'') return "a placeholder without quotes";
    out += arguments[number].get<std::string>();
    i = close;
  }
  return out;
}

void Checker::check_strings(const json& value, const std::string& key) {
  const bool prose = key == "text" || key == "markdown";
  if (value.is_string()) {
    expect(!has_hidden_characters(value, prose), "hidden characters in '" + key + "'");
    return;
  }
  if (!value.is_structured()) return;
  for (const auto& [name, member] : value.items()) {
    if (value.is_object()) expect(!has_hidden_characters(name), "hidden characters in a name");
    check_strings(member, value.is_object() ? name : key);
  }
}

// Property bags are free; everything else is read into 32 bits by some consumers.
void Checker::check_integers(const json& value) {
  if (value.is_number_integer()) {
    expect(value >= 0 && value <= kMaxInteger, "integer out of range: " + value.dump());
  }
  if (!value.is_structured()) return;
  for (const auto& [name, member] : value.items()) {
    if (name != "properties") check_integers(member);
  }
}

void Checker::check_descriptors(const char* list) {
  std::set<std::string> ids;
  for (const json& each : driver_.at(list)) {
    where_ = each.value("id", "?");
    expect(ids.insert(where_).second, "the id is there twice");
    for (const char* name : {"shortDescription", "fullDescription", "help"}) {
      expect(each.contains(name) && !each[name].value("text", "").empty(), std::string("no text in ") + name);
      expect(each[name].value("text", "").size() <= 1024 || name == std::string("help"),
             std::string(name) + " too long");
    }
    expect(!each.at("help").value("markdown", "").empty(), "no markdown help");
    expect(each.value("helpUri", "").starts_with("https://"), "no helpUri");
    expect(each.contains("name") && each["name"] != each["id"], "no name of its own");
    expect(!each.at("messageStrings").empty(), "no message");
    for (const auto& [id, string] : each.at("messageStrings").items()) {
      expect(string.value("text", "").ends_with("."), "message string without a period");
    }
  }
}

void Checker::check_uri(const std::string& uri, bool relative) {
  static const std::string kLegal =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=@/%";
  const std::string path = relative ? uri : uri.substr(std::min<std::size_t>(7, uri.size()));
  expect(relative || uri.starts_with("file:///"), "neither relative nor a file URI: " + uri);
  expect(!path.empty() && path.find_first_not_of(kLegal) == std::string::npos,
         "characters that must be encoded: " + uri);
  expect(!relative || path.front() != '/', "a relative URI with a slash first: " + uri);
  const std::string slashes = "/" + path + "/";
  expect(slashes.find("/./") == std::string::npos && slashes.find("/../") == std::string::npos,
         "dots in " + uri);
}

void Checker::check_artifacts() {
  where_ = "artifacts";
  std::set<std::string> uris;
  for (const json& artifact : run_.at("artifacts")) {
    const json& location = artifact.at("location");
    check_uri(location.at("uri"), location.contains("uriBaseId"));
    expect(uris.insert(location.at("uri")).second, "the same URI twice");
    expect(!artifact.at("roles").empty(), "no role");
    expect(artifact.contains("mimeType"), "no mimeType");
  }
}

void Checker::check_logical_locations() {
  where_ = "logicalLocations";
  std::set<std::string> names;
  const json& all = run_.at("logicalLocations");
  for (const json& each : all) {
    const std::string name = each.at("fullyQualifiedName");
    expect(names.insert(name).second, "the same place twice: " + name);
    if (!each.contains("parentIndex")) continue;
    const std::size_t parent = each["parentIndex"];
    expect(parent < all.size(), "parentIndex out of range");
    if (parent < all.size()) {
      expect(name.starts_with(all[parent].at("fullyQualifiedName").get<std::string>()),
             "not below its parent: " + name);
    }
  }
}

void Checker::check_artifact_location(const json& location) {
  const std::size_t index = location.at("index");
  const json& artifacts = run_.at("artifacts");
  expect(index < artifacts.size() && artifacts[index].at("location").at("uri") == location.at("uri"),
         "wrong artifact index");
  expect(!location.contains("uriBaseId") || location["uriBaseId"] == "%SRCROOT%", "unknown uriBaseId");
}

// Bytes or a line, never both, and the bytes within the file; in the GitHub profile bytes are properties.
void Checker::check_region(const json& physical, const json& location) {
  const json bytes =
      github_ ? location.value("properties", json::object()) : physical.value("region", json::object());
  if (github_) {
    const json line = {{"startLine", 1}, {"startColumn", 1}, {"endLine", 1}, {"endColumn", 1}};
    expect(physical.value("region", json()) == line, "no line region");
    text_regions_ = true;
  }
  if (bytes.empty()) return;
  expect(bytes.size() == 2 && bytes.contains("byteOffset") && bytes.contains("byteLength"),
         "mixed or odd region");
  const std::int64_t end = bytes.value("byteOffset", kMaxInteger) + bytes.value("byteLength", kMaxInteger);
  expect(github_ || end <= kMaxInteger, "the region ends beyond 32 bits");
  const json& artifact =
      run_.at("artifacts").at(physical.at("artifactLocation").at("index").get<std::size_t>());
  expect(!artifact.contains("length") || end <= artifact["length"].get<std::int64_t>(),
         "the region ends beyond the file");
}

void Checker::check_location(const json& location) {
  const json& physical = location.at("physicalLocation");
  check_artifact_location(physical.at("artifactLocation"));
  check_region(physical, location);
  for (const json& logical : location.value("logicalLocations", json::array())) {
    const json& all = run_.at("logicalLocations");
    const std::size_t index = logical.at("index");
    expect(index < all.size() && all[index].at("fullyQualifiedName") == logical.at("fullyQualifiedName"),
           "wrong logical index");
  }
}

void Checker::check_message(const json& message, const json& descriptor) {
  const std::string id = message.at("id");
  const json& strings = descriptor.at("messageStrings");
  expect(strings.contains(id), "unknown message id " + id);
  if (!strings.contains(id)) return;
  const std::string text = message.at("text");
  expect(text == substituted(strings[id].at("text"), message.at("arguments")),
         "text is not its template: " + text);
  expect(text.find("](") == std::string::npos, "a link in " + text);
  expect(text.find_first_of("{}`") == std::string::npos, "markup in " + text);
}

void Checker::check_result(const json& result) {
  where_ = "result " + result.value("ruleId", "?");
  const std::size_t rule = result.at("ruleIndex");
  const json& rules = driver_.at("rules");
  expect(rule < rules.size() && rules[rule].at("id") == result.at("ruleId"), "wrong rule index");
  expect(result.contains("level") && !result.contains("kind"), "no level, or a kind");
  if (rule < rules.size()) check_message(result.at("message"), rules[rule]);
  expect(result.at("locations").size() == 1, "not exactly one location");
  for (const json& location : result.at("locations")) check_location(location);
  int id = 0;
  for (const json& related : result.value("relatedLocations", json::array())) {
    ++id;
    expect(related.at("id") == id, "related ids do not count from 1");
    check_location(related);
  }
  check_suppressions(result);
  const json& prints = result.at("partialFingerprints");
  const std::string hash = prints.at("primaryLocationLineHash");
  const std::string uri = result.at("locations")[0].at("physicalLocation").at("artifactLocation").at("uri");
  expect(fingerprints_.emplace(uri, result.at("ruleId"), hash).second, "the same fingerprint twice");
  expect(prints.at("checkpointPath/v1").get<std::string>().starts_with(hash.substr(0, 16)), "hashes differ");
}

void Checker::check_suppressions(const json& result) {
  for (const json& each : result.value("suppressions", json::array())) {
    expect(each.at("kind") == "external", "an unknown kind of suppression");
    if (!each.contains("location")) continue;
    const json& physical = each["location"].at("physicalLocation");
    expect(physical.at("region").size() == 1 && physical["region"].value("startLine", 0) > 0,
           "a suppression without a line");
    check_uri(physical.at("artifactLocation").at("uri"), physical["artifactLocation"].contains("uriBaseId"));
    text_regions_ = true;
  }
}

// Consumers take the absence of a state for a statement about the whole run.
void Checker::check_states() {
  std::size_t suppressions = 0;
  std::size_t baselines = 0;
  const json& results = run_.at("results");
  for (const json& result : results) {
    suppressions += result.contains("suppressions") ? 1U : 0U;
    baselines += result.contains("baselineState") ? 1U : 0U;
    expect(!github_ || result.value("suppressions", json::array()).empty(),
           "GitHub would show a suppressed result");
    expect(!github_ || result.value("baselineState", "new") == "new",
           "GitHub would show an unchanged result");
  }
  expect(suppressions == 0 || suppressions == results.size(), "suppressions on some results only");
  expect(baselines == 0 || baselines == results.size(), "baselineState on some results only");
}

void Checker::check_notifications() {
  for (const json& each : run_.at("invocations").at(0).at("toolExecutionNotifications")) {
    const std::size_t index = each.at("descriptor").at("index");
    const json& known = driver_.at("notifications");
    expect(index < known.size() && known[index].at("id") == each.at("descriptor").at("id"),
           "wrong notification index");
    if (index < known.size()) check_message(each.at("message"), known[index]);
    for (const json& location : each.value("locations", json::array())) check_location(location);
  }
}

std::vector<std::string> Checker::run(const json& log) {
  check_strings(log, "");
  check_integers(log);
  check_descriptors("rules");
  check_descriptors("notifications");
  check_artifacts();
  check_logical_locations();
  for (const json& result : run_.at("results")) check_result(result);
  where_ = "invocation";
  check_notifications();
  const json& invocation = run_.at("invocations")[0];
  expect(invocation.at("executionSuccessful") == (invocation.at("exitCode") != 2),
         "success and exit code disagree");
  check_states();
  expect(run_.value("columnKind", "") == (text_regions_ ? "unicodeCodePoints" : ""),
         "columnKind without text regions, or none");
  return problems_;
}

}  // namespace

bool has_hidden_characters(const std::string& text, bool allow_newlines) {
  std::string rest = text;
  if (allow_newlines) std::erase(rest, '\n');
  return one_line(rest) != rest;
}

std::vector<std::string> sarif_problems(const json& log, report::SarifProfile profile) {
  return Checker(log, profile).run(log);
}

}  // namespace ckpt::test
