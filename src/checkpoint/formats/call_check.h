// Whether the calls of a pickle can succeed: for the classes and functions that torch allows in every file,
// which arguments they take. A call that Python refuses makes torch.load fail. Private to checkpoint/formats.
#pragma once

#include <cstdint>

#include "checkpoint/checkpoint.h"

namespace ckpt::formats {

// Adds a defect pickle-call-fails for every call, from the node `first` on, whose arguments or later changes
// its callee refuses. After rebuild_tensors, before simplify_python_objects: the nodes are still calls.
void check_calls(Checkpoint& out, value::NodeId first, std::uint32_t part);

}  // namespace ckpt::formats
