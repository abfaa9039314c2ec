// Parameters of rules: YAML -> typed values, as the check's ParamSpecs say. Implicit typing is a trap (no,
// 0777, 1_000, 1.10 mean different things to different YAML readers), so the wanted type decides, and where
// none is wanted (kExpect) what is ambiguous is refused.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/glob.h"
#include "files/yaml_reader.h"
#include "lint/check.h"
#include "report/property.h"

namespace ckpt::lint {

std::string_view to_string(ParamType type);  // "bool", "integer", "number", "string", ...

// The type with what is allowed: "number, 0 or more", "text: added | removed".
std::string type_text(const ParamSpec& spec);

const ParamSpec* find_param(const Check& check, std::string_view name);

// The value of parameter `spec` of rule `rule_id`; Error{kUsage} with the position where it does not fit.
report::Value convert_param(const std::string& source, const YamlNode& node, const ParamSpec& spec,
                            std::string_view rule_id);
// spec.default_text as a value. Requires: it is not empty.
report::Value default_value(const ParamSpec& spec, std::string_view rule_id);

// A parameter that names a file is kept with what was read of it: {file: PATH, ...}.
bool is_file(ParamType type);
// PATH, "" for none. Requires: is_file of the value's type.
std::string file_path(const report::Value& value);

// Scalars and lists as a kExpect keeps them; Error{kUsage} with the position for what different YAML readers
// take for different things (no, 0777, 1_000).
report::Value plain_value(const std::string& source, const YamlNode& node);

// Names a thing in messages: "'profile'", or "'tags' of rule 'x'", which is only put together for a message:
// hundreds of rules are read at each start. Views of texts that live longer.
class What {
 public:
  What(const char* text) : name_(text) {}         // NOLINT(google-explicit-constructor)
  What(std::string_view text) : name_(text) {}    // NOLINT(google-explicit-constructor)
  What(const std::string& text) : name_(text) {}  // NOLINT(google-explicit-constructor)
  // "KIND'NAME' of rule 'ID'"
  What(std::string_view name, std::string_view rule_id, std::string_view kind = "")
      : name_(name), rule_id_(rule_id), kind_(kind) {}
  std::string text() const;

 private:
  std::string_view name_, rule_id_, kind_;
};

std::string to_text(const std::string& source, const YamlNode& node, const What& what);
std::vector<std::string> to_texts(const std::string& source, const YamlNode& node, const What& what);
std::vector<Glob> to_globs(const std::string& source, const YamlNode& node, const What& what);

}  // namespace ckpt::lint
