// Where a value is: one spelling in text, JSON, SARIF and YAML.
//   state_dict["encoder.0.weight"]   layers[0].groups[3].size   settings.lr
// Identifier-like string keys are dotted; all other keys are bracketed: strings in JSON quoting, ints and
// list indexes as they are, other Python values by their repr. The root is "<root>". Parts that are not keys
// are in angle brackets: <args>, <kwargs>, <state>, <key> (a key that holds something), <indices> ...
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "value/tree.h"

namespace ckpt::value {

// One step below a parent, appended to `path`.
void append_key(std::string& path, const Tree& tree, NodeId key);
void append_key(std::string& path, std::string_view key);
void append_index(std::string& path, std::uint64_t index);
void append_attribute(std::string& path, std::string_view name);  // ".name", quoted if not an identifier
void append_part(std::string& path, std::string_view name);       // ".<name>"

// "<root>" for the empty path.
std::string display_path(std::string_view path);

// The repr of a scalar key or value for people: "text", 3, 0.001, None, True, b"..", <class
// torch.optim.Adam>.
std::string repr(const Tree& tree, NodeId id, std::size_t limit = 256);

// The Python type of a node as its `type` in JSON: "int", "str", "NoneType", "pathlib.PosixPath", ...
std::string type_name(const Tree& tree, NodeId id);

}  // namespace ckpt::value
