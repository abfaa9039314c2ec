#include "report/reporters/sarif_places.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "report/reporters/file_place.h"
#include "report/reporters/sarif_message.h"

namespace ckpt::report::sarif {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
constexpr std::size_t kMaxParents = 32;  // a path may have a thousand parts, each of 64 KiB

// RFC 3986: unreserved, sub-delims, "@" and "/". A colon is legal in a path but not in the first part of a
// relative one, where it would end a scheme.
bool stays_in_uri(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~!$&'()*+,;=@/").find(c) != std::string_view::npos;
}

std::string percent_encode(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (stays_in_uri(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kTarget: return "analysisTarget";
    case Role::kBase: return "referencedOnCommandLine";
    case Role::kRules: return "userSpecifiedConfiguration";
  }
  return "";
}

std::string_view mime_type(const Input& input) {
  if (input.role == Role::kRules) return "application/yaml";
  return input.format == "torch-zip" ? "application/zip" : "application/octet-stream";
}

// The kinds of SARIF 3.33.7, and "tensor" of our own.
std::string_view kind_name(PlaceKind kind) {
  switch (kind) {
    case PlaceKind::kFile: return "";
    case PlaceKind::kObject: return "object";
    case PlaceKind::kArray: return "array";
    case PlaceKind::kValue: return "value";
    case PlaceKind::kProperty: return "property";
    case PlaceKind::kTensor: return "tensor";
  }
  return "";
}

// Where the part that begins at `start` ends: ".name", "name", "[3]", "[\"quoted\"]".
std::size_t end_of_part(std::string_view path, std::size_t start) {
  std::size_t i = start;
  if (path[i] != '[') {
    const std::size_t end = path.find_first_of(".[", start + 1);
    return end == std::string_view::npos ? path.size() : end;
  }
  bool quoted = false;
  for (++i; i < path.size(); ++i) {
    if (path[i] == '\\' && quoted) {
      ++i;
    } else if (path[i] == '"') {
      quoted = !quoted;
    } else if (path[i] == ']' && !quoted) {
      return i + 1;
    }
  }
  return path.size();
}

// ".lr" -> "lr", "[3]" -> "3", "[\"a.b\"]" -> "a.b"
std::string_view name_of_part(std::string_view part) {
  if (part.starts_with('.')) part.remove_prefix(1);
  if (part.starts_with('[') && part.ends_with(']')) part = part.substr(1, part.size() - 2);
  if (part.size() >= 2 && part.starts_with('"') && part.ends_with('"'))
    part = part.substr(1, part.size() - 2);
  return part;
}

// An index may be into a list or into a dict with int keys (layers[0].groups[3]): nothing is said.
std::string_view kind_of_parent(std::string_view child) {
  const bool index = child.size() > 1 && child[0] == '[' && child[1] != '"';
  return index ? "" : "object";
}

// Bytes of a file in a folder are no region of the folder.
bool fits(const ByteRange& bytes) {
  return bytes.part.empty() && bytes.offset <= kMaxInteger && bytes.size <= kMaxInteger - bytes.offset;
}

void write_bytes(JsonWriter& json, std::string_view name, const ByteRange& bytes) {
  json.key(name);
  json.begin_object();
  json.member("byteOffset", bytes.offset);
  json.member("byteLength", bytes.size);
  if (!bytes.part.empty()) json.member("part", bytes.part);
  json.end();
}

void write_uri(JsonWriter& json, const Uri& uri) {
  json.begin_object();
  json.member("uri", uri.text);
  if (uri.relative) json.member("uriBaseId", "%SRCROOT%");
  json.end();
}

void write_first_character(JsonWriter& json) {
  json.member("region", Object{{"startLine", 1}, {"startColumn", 1}, {"endLine", 1}, {"endColumn", 1}});
}

}  // namespace

Uri to_uri(std::string_view path) {
  const FilePlace place = place_of_file(path);
  return {(place.relative ? "" : "file://") + percent_encode(place.path), place.relative};
}

std::optional<TextLocation> text_location(std::string_view source) {
  const std::size_t colon = source.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::uint64_t line = 0;
  const auto [end, error] = std::from_chars(source.data() + colon + 1, source.data() + source.size(), line);
  const bool whole = error == std::errc() && end == source.data() + source.size();
  if (!whole || line == 0 || line > kMaxInteger) return std::nullopt;
  return TextLocation{to_uri(source.substr(0, colon)), line};
}

std::string canonical_path(std::string_view path) {
  return path == "<root>" ? std::string() : one_line(path);
}

Places::Places(const Report& report, SarifProfile profile) : report_(report), profile_(profile) {
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < report.inputs.size(); ++i) {
    Uri uri = to_uri(report.inputs[i].path);
    const auto [entry, is_new] = known.try_emplace(uri.text, artifacts_.size());
    if (is_new) artifacts_.push_back({std::move(uri), i, {}});
    std::vector<std::string_view>& roles = artifacts_[entry->second].roles;
    const std::string_view role = role_name(report.inputs[i].role);
    if (std::find(roles.begin(), roles.end(), role) == roles.end()) roles.push_back(role);
    artifact_of_input_.push_back(entry->second);
  }
  for (Artifact& artifact : artifacts_) std::sort(artifact.roles.begin(), artifact.roles.end());
}

void Places::add(const Location& location) {
  const std::string path = canonical_path(location.path);
  std::size_t parent = kNone;
  std::size_t depth = 0;
  for (std::size_t start = 0; start < path.size();) {
    const std::size_t end = end_of_part(path, start);
    const bool leaf = end == path.size();
    const std::string_view part = std::string_view(path).substr(start, end - start);
    if (leaf) {
      add_logical(path, part, kind_name(location.kind), parent);
    } else {
      if (depth < kMaxParents)
        parent = add_logical(path.substr(0, end), part, kind_of_parent(std::string_view(path).substr(end)),
                             parent);
      ++depth;
    }
    start = end;
  }
}

std::size_t Places::add_logical(std::string path, std::string_view part, std::string_view kind,
                                std::size_t parent) {
  const auto [entry, is_new] = logical_of_path_.try_emplace(std::move(path), logicals_.size());
  if (is_new) logicals_.push_back({entry->first, std::string(name_of_part(part)), kind, parent});
  return entry->second;
}

void Places::write_artifacts(JsonWriter& json) const {
  json.key("artifacts");
  json.begin_array(JsonWriter::Layout::kLines);
  for (const Artifact& artifact : artifacts_) {
    const Input& input = report_.inputs[artifact.input];
    json.begin_object();
    json.key("location");
    write_uri(json, artifact.uri);
    const bool known = input.error.empty() || input.size > 0;
    if (known && input.size <= kMaxInteger) json.member("length", input.size);
    json.key("roles");
    json.begin_array();
    for (const std::string_view role : artifact.roles) json.text(role);
    json.end();
    json.member("mimeType", mime_type(input));
    Object properties;
    if (input.size > kMaxInteger) properties.push_back({"byteLength", input.size});
    if (!input.format.empty()) properties.push_back({"format", input.format});
    if (!properties.empty()) json.member("properties", properties);
    json.end();
  }
  json.end();
}

void Places::write_logical_locations(JsonWriter& json) const {
  json.key("logicalLocations");
  json.begin_array(JsonWriter::Layout::kLines);
  for (const Logical& logical : logicals_) {
    json.begin_object();
    if (!logical.name.empty()) json.member("name", logical.name);
    json.member("fullyQualifiedName", logical.path);
    if (logical.parent != kNone) json.member("parentIndex", logical.parent);
    if (!logical.kind.empty()) json.member("kind", logical.kind);
    json.end();
  }
  json.end();
}

void Places::write_artifact_location(JsonWriter& json, std::size_t input) const {
  const std::size_t index = artifact_of(input);
  json.key("artifactLocation");
  json.begin_object();
  json.member("uri", artifacts_[index].uri.text);
  if (artifacts_[index].uri.relative) json.member("uriBaseId", "%SRCROOT%");
  json.member("index", index);
  json.end();
}

// The standard wants bytes (SARIF 3.30.1: a region of a binary file shall be binary), GitHub wants a line.
void Places::write_physical_location(JsonWriter& json, const Location& location) const {
  const ByteRange bytes = location.bytes.value_or(ByteRange{0, report_.inputs.at(location.input).size});
  json.key("physicalLocation");
  json.begin_object();
  write_artifact_location(json, location.input);
  if (profile_ == SarifProfile::kGithub)
    write_first_character(json);
  else if (fits(bytes))
    write_bytes(json, "region", bytes);
  json.end();
}

void Places::write_location(JsonWriter& json, const Location& location, int id) const {
  json.begin_object();
  if (id > 0) json.member("id", id);
  write_physical_location(json, location);
  const std::string path = canonical_path(location.path);
  if (!path.empty()) {
    json.key("logicalLocations");
    json.begin_array();
    json.begin_object();
    json.member("fullyQualifiedName", path);
    json.member("index", logical_of_path_.at(path));
    json.end();
    json.end();
  }
  if (id > 0 && !location.text.empty()) {
    json.key("message");
    json.begin_object();
    json.member("text", with_period(escape_argument(location.text)));
    json.end();
  }
  const bool not_in_region = profile_ == SarifProfile::kGithub || (location.bytes && !fits(*location.bytes));
  if (location.bytes && not_in_region) write_bytes(json, "properties", *location.bytes);
  json.end();
}

void Places::write_file_location(JsonWriter& json, std::size_t input) const {
  json.begin_object();
  json.key("physicalLocation");
  json.begin_object();
  write_artifact_location(json, input);
  if (profile_ == SarifProfile::kGithub) write_first_character(json);
  json.end();
  json.end();
}

void Places::write_text_location(JsonWriter& json, const TextLocation& location) const {
  json.begin_object();
  json.key("physicalLocation");
  json.begin_object();
  json.key("artifactLocation");
  write_uri(json, location.uri);
  json.member("region", Object{{"startLine", location.line}});
  json.end();
  json.end();
}

}  // namespace ckpt::report::sarif
