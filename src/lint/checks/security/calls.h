// Calls of a pickle that no healthy checkpoint makes. Every call that the stream makes is in the tree, also
// those whose results it drops.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace ckpt::lint {

struct SuspectCall {
  std::string_view kind;  // a kind of the check dangerous-global
  std::string shown;      // what is called
  std::string import;     // "module.name" of the import that it begins with; may be empty
};

// Without what danger_of says of the imports by themselves.
std::vector<SuspectCall> suspect_calls(const value::Tree& tree);

}  // namespace ckpt::lint
