// A JSON document as nodes of a tree: config.json, trainer_state.json and others that lie beside weights.
#pragma once

#include <string>
#include <string_view>

#include "base/limits.h"
#include "value/tree.h"

namespace ckpt::formats {

// Throws Error{kCorrupt}: not JSON, not UTF-8, a key twice in an object; {kLimit}: nested deeper than
// limits.depth. `name` says in the message which document it is.
value::NodeId read_json_tree(std::string_view text, std::string_view name, const Limits& limits,
                             value::Tree& tree);

}  // namespace ckpt::formats
