// How much of its work the process has done, in bytes of tensors: counters that a progress line reads while
// others add. One for the process, because it says something of the process alone; no result depends on it.
#pragma once

#include <cstdint>

namespace ckpt::meter {

struct Amounts {
  std::uint64_t done = 0;
  std::uint64_t expected = 0;  // that is known so far; grows when further work is planned
};

// Any thread.
void expect(std::uint64_t bytes);
void add(std::uint64_t bytes);
Amounts now();

}  // namespace ckpt::meter
