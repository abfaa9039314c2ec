// The optimizer's state of a DeepSpeed save by parameter, as torch's own state_dict has it.
// Source: deepspeed/runtime/zero/stage_1_and_2.py and stage3.py, state_dict. Private to checkpoint/formats.
#pragma once

#include "checkpoint/formats/deepspeed_flat.h"
#include "checkpoint/formats/deepspeed_ranks.h"

namespace ckpt::formats {

struct AssembledOptimizer {
  // A dict with the state by id, and the groups; ids count the parameters of the groups in order. kNoNode if
  // no rank has a state that is understood.
  value::NodeId node = value::kNoNode;
  bool whole = true;  // false: what the ranks have is more than that
};

AssembledOptimizer assemble_optimizer(const DeepSpeedRanks& ranks, DeepSpeedBudget& budget, Checkpoint& out);

}  // namespace ckpt::formats
