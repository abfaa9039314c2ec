// A pickle of a checkpoint: run into its tree, with what the stream imports and what is wrong with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "checkpoint/checkpoint.h"

namespace ckpt::formats {

// Appends the nodes of the pickle at the start of `bytes` to out.tree. `name` and `offset` say in defects
// which pickle it is and where it begins. A stream that breaks is a defect, and out.complete is false then.
pickle::PickleResult take_pickle(std::shared_ptr<const std::vector<std::byte>> bytes, std::string_view name,
                                 std::uint64_t offset, const Limits& limits, Checkpoint& out);

// Adds what another pickle imports; a name that is there already counts once.
void add_imports(std::span<const pickle::Import> imports, Checkpoint& out);

}  // namespace ckpt::formats
