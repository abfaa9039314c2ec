#include "lint/baseline.h"

#include <sstream>
#include <string_view>

#include <fmt/format.h>

#include "base/error.h"
#include "base/sha256.h"
#include "base/text.h"
#include "files/file_glob.h"
#include "files/json_reader.h"
#include "report/json_writer.h"

namespace ckpt::lint {
namespace {

using nlohmann::json;
using report::Finding;

constexpr char kEnd = '\0';

[[noreturn]] void refuse(const std::string& path, std::string_view text) {
  fail(ErrorCode::kUsage,
       fmt::format("baseline {}: {}; write a new one with --update-baseline", one_line(path), text));
}

std::string key_of(char kind, std::string_view rule, std::string_view place, const std::string& file) {
  std::string key(1, kind);
  for (const std::string_view part : {rule, place, std::string_view(file)}) {
    key += kEnd;
    key += part;
  }
  return key;
}

// As the SARIF reporter computes checkpointPath/v1.
std::string fingerprint(const Finding& finding) {
  std::string identity = finding.where.path == "<root>" ? std::string() : one_line(finding.where.path);
  identity += kEnd;
  identity += report::identity_of(finding);
  return sha256_hex(identity);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// "model%20a.ckpt" or "file:///data/model.ckpt" as a path.
std::string path_of_uri(std::string_view uri) {
  if (uri.starts_with("file://")) uri.remove_prefix(7);
  std::string path;
  for (std::size_t i = 0; i < uri.size(); ++i) {
    const int high = i + 2 < uri.size() ? hex_digit(uri[i + 1]) : -1,
              low = i + 2 < uri.size() ? hex_digit(uri[i + 2]) : -1;
    if (uri[i] == '%' && high >= 0 && low >= 0) {
      path += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      path += uri[i];
    }
  }
  return path;
}

// A member that must be there and a text.
std::string text_of(const std::string& path, const json& object, const char* name) {
  if (object.is_object())
    if (const auto found = object.find(name); found != object.end() && found->is_string())
      return found->get<std::string>();
  refuse(path, fmt::format("a finding has no \"{}\"", name));
}

const json* at(const json& from, std::initializer_list<const char*> names) {
  const json* here = &from;
  for (const char* name : names) {
    if (here->is_array()) here = here->empty() ? nullptr : &(*here)[0];
    if (here == nullptr || !here->is_object()) return nullptr;
    const auto found = here->find(name);
    if (found == here->end()) return nullptr;
    here = &*found;
  }
  return here;
}

std::vector<std::string> read_sarif(const std::string& path, const json& document) {
  std::vector<std::string> keys;
  if (document["runs"].is_array() && document["runs"].size() > 1)
    refuse(path, "this SARIF log has several runs");
  const json* name = at(document, {"runs", "tool", "driver", "name"});
  if (name == nullptr || *name != "ckpt-lint") refuse(path, "ckpt-lint did not write this SARIF log");
  const json* results = at(document, {"runs", "results"});
  if (results == nullptr || !results->is_array()) refuse(path, "this SARIF log has no results");
  if (const json* cut = at(document, {"runs", "properties", "summary", "truncated"});
      cut != nullptr && *cut == true)
    refuse(path, "this SARIF log lacks some findings of its run; use a JSON report");
  for (const json& result : *results) {
    if (const auto suppressed = result.find("suppressions");
        suppressed != result.end() && !suppressed->empty())
      continue;
    const json* print = at(result, {"partialFingerprints", "checkpointPath/v1"});
    const json* uri = at(result, {"locations", "physicalLocation", "artifactLocation", "uri"});
    if (print == nullptr || !print->is_string() || uri == nullptr || !uri->is_string())
      refuse(path, "a result has no fingerprint \"checkpointPath/v1\" or no file");
    keys.push_back(key_of('s', text_of(path, result, "ruleId"), print->get<std::string>(),
                          absolute_path(path_of_uri(uri->get<std::string>()))));
  }
  return keys;
}

std::vector<std::string> read_report(const std::string& path, const json& document) {
  std::vector<std::string> keys;
  if (const auto version = document.find("schema_version"); version == document.end() || *version != 1)
    refuse(path, "neither a SARIF log nor a JSON report with \"schema_version\": 1");
  const json* name = at(document, {"tool", "name"});
  if (name == nullptr || *name != "ckpt-lint") refuse(path, "ckpt-lint did not write this report");
  const json* findings = at(document, {"findings"});
  if (findings == nullptr || !findings->is_array()) refuse(path, "this report has no findings");
  for (const json& finding : *findings) {
    const std::string rule = text_of(path, finding, "rule"), place = text_of(path, finding, "path"),
                      file = text_of(path, finding, "file");
    if (const auto suppressed = finding.find("suppression");
        suppressed != finding.end() && !suppressed->is_null())
      continue;
    keys.push_back(key_of('j', rule, place, absolute_path(file)));
  }
  return keys;
}

}  // namespace

BaselineFindings::BaselineFindings(const std::vector<std::string>& keys) : size_(keys.size()) {
  for (const std::string& key : keys) ++counts_[key];
}

BaselineFindings BaselineFindings::read(const std::string& path) {
  json document;
  try {
    document = read_json_file(path);
  } catch (const Error& e) {
    fail(ErrorCode::kUsage, fmt::format("baseline {}; write a new one with --update-baseline", e.text()));
  }
  return BaselineFindings(document.contains("runs") ? read_sarif(path, document)
                                                    : read_report(path, document));
}

BaselineFindings BaselineFindings::parse(const std::string& text) {
  const std::string name = "(the new baseline)";
  return BaselineFindings(read_report(name, read_json(text, name)));
}

void BaselineFindings::mark(report::Report& report) const {
  std::map<std::string, std::size_t> left = counts_;
  for (Finding& finding : report.findings) {
    finding.baseline = report::Baseline::kNew;
    if (finding.suppression || finding.kind == "more") continue;
    const std::string file = absolute_path(report.inputs.at(finding.where.input).path);
    const std::string keys[] = {key_of('s', finding.rule_id, fingerprint(finding), file),
                                key_of('j', finding.rule_id, to_utf8(finding.where.path), file)};
    for (const std::string& key : keys) {
      const auto found = left.find(key);
      if (found == left.end() || found->second == 0) continue;
      --found->second;
      finding.baseline = report::Baseline::kUnchanged;
      break;
    }
  }
}

std::string baseline_text(const report::Report& report) {
  std::ostringstream out;
  report::JsonWriter writer(out);
  using Layout = report::JsonWriter::Layout;
  writer.begin_object(Layout::kLines);
  writer.member("schema_version", 1);
  writer.member("tool", report::Object{{"name", report.tool.name}, {"version", report.tool.version}});
  writer.key("findings");
  writer.begin_array(Layout::kLines);
  for (const Finding& finding : report.findings) {
    if (finding.suppression) continue;
    writer.begin_object();
    writer.member("rule", finding.rule_id);
    writer.member("level", report::to_string(finding.level));
    writer.member("path", finding.where.path);
    writer.member("message", finding.message);
    writer.member("file", report.inputs.at(finding.where.input).path);
    writer.end();
  }
  writer.end();
  writer.end();
  writer.finish();
  return out.str();
}

}  // namespace ckpt::lint
