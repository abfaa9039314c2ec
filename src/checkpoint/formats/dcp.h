// torch.distributed.checkpoint: a folder with .metadata, which says where each tensor's chunks lie, and the .distcp
// files of the ranks. Lightning's FSDP and ModelParallel strategies add meta.pt with all that is no tensor.
// Source: torch/distributed/checkpoint/{metadata,filesystem,planner_helpers}.py,
// lightning/fabric/strategies/{fsdp,model_parallel}.py.
#pragma once

#include "checkpoint/format.h"

namespace ckpt::formats {

extern const Format kDcp;

}  // namespace ckpt::formats
