// Where findings are, in SARIF's terms: files as artifacts with URIs, paths as logical locations with
// parents. Private to the SARIF reporter.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/json_writer.h"
#include "report/report.h"
#include "report/reporter.h"

namespace ckpt::report::sarif {

// Microsoft's SDK reads these properties into a C# int; a larger value makes it drop the whole log.
inline constexpr std::uint64_t kMaxInteger = 2147483647;

struct Uri {
  std::string text;
  bool relative = true;  // to %SRCROOT%
};
// Of place_of_file(): relative, or a file: URI. Percent-encoded.
Uri to_uri(std::string_view path);

struct TextLocation {
  Uri uri;
  std::uint64_t line = 1;
};
// Of "rules.yaml:12"; nullopt if it is not of this form.
std::optional<TextLocation> text_location(std::string_view source);

// "" for the file as a whole, else the path on one line: what fingerprints and fullyQualifiedName use.
std::string canonical_path(std::string_view path);

class Places {
 public:
  Places(const Report& report, SarifProfile profile);

  // All paths must be added before anything is written.
  void add(const Location& location);

  std::size_t artifact_of(std::size_t input) const { return artifact_of_input_.at(input); }
  const std::string& uri_of(std::size_t input) const { return artifacts_[artifact_of(input)].uri.text; }

  void write_artifacts(JsonWriter& json) const;
  void write_logical_locations(JsonWriter& json) const;
  // One location object, with "id" and "message" for related ones (id > 0).
  void write_location(JsonWriter& json, const Location& location, int id = 0) const;
  // Just the file, for notifications.
  void write_file_location(JsonWriter& json, std::size_t input) const;
  // A line of a text file, which may not be an input.
  void write_text_location(JsonWriter& json, const TextLocation& location) const;

 private:
  struct Artifact {
    Uri uri;
    std::size_t input;  // the first one of this URI
    std::vector<std::string_view> roles;
  };
  struct Logical {
    std::string path;
    std::string name;  // the last part
    std::string_view kind;
    std::size_t parent;  // kNone at the top
  };

  void write_artifact_location(JsonWriter& json, std::size_t input) const;
  void write_physical_location(JsonWriter& json, const Location& location) const;
  std::size_t add_logical(std::string path, std::string_view part, std::string_view kind, std::size_t parent);

  const Report& report_;
  SarifProfile profile_;
  std::vector<Artifact> artifacts_;
  std::vector<std::size_t> artifact_of_input_;
  std::vector<Logical> logicals_;
  std::map<std::string, std::size_t, std::less<>> logical_of_path_;
};

}  // namespace ckpt::report::sarif
