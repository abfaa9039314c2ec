// The rule file that somebody starts with: ckpt-lint --init.
#pragma once

#include <string>

namespace ckpt::lint {

// A commented rule file that changes nothing yet.
std::string starter_file();

}  // namespace ckpt::lint
