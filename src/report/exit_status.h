// What Report::exit_status means, and what all three programs return; documented in the README and in every
// --help. 2 wins over 1.
#pragma once

#include <algorithm>

namespace ckpt {

inline constexpr int kClean = 0;    // same; nothing at or above --fail-on
inline constexpr int kFound = 1;    // different; findings at or above --fail-on
inline constexpr int kTrouble = 2;  // usage error, unreadable input, report that could not be written

inline int worse(int a, int b) { return std::max(a, b); }

}  // namespace ckpt
