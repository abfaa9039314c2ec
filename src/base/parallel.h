// Runs independent tasks on a few threads. What a task writes must not depend on which thread runs it:
// each result goes to its own slot, and the caller combines them in index order, so that output is
// identical for every number of threads.
#pragma once

#include <cstddef>
#include <functional>

namespace ckpt {

// The number of hardware threads this process may use (its affinity mask), at least 1.
std::size_t default_jobs();

// Calls task(i) for every i < count, on up to `jobs` threads (the caller's included). The exception of
// the lowest failing index is rethrown after all tasks have ended.
void parallel_for(std::size_t count, std::size_t jobs, const std::function<void(std::size_t)>& task);

}  // namespace ckpt
