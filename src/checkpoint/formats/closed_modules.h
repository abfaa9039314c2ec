// Modules of Python of which every name is known: what else a pickle imports from them fails everywhere.
// Private to checkpoint/formats; no state, any thread. Source: dir() of CPython 3.10 to 3.14.
#pragma once

#include <string_view>

namespace ckpt::formats {

// True if no Python that runs a current torch has the name: builtins.long, collections.NoSuch, copy_reg.
bool is_missing_everywhere(std::string_view module, std::string_view name);

}  // namespace ckpt::formats
