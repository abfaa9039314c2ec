// torch.distributed.checkpoint: a folder with .metadata, which says where each tensor's chunks lie, and the
// .distcp files of the ranks. Trainers that save in shards (FSDP, ModelParallel) add meta.pt with all that is
// no tensor. Source: torch/distributed/checkpoint/{metadata,filesystem,planner_helpers}.py.
#pragma once

#include "checkpoint/format.h"

namespace ckpt::formats {

extern const Format kDcp;

}  // namespace ckpt::formats
