// The weights of a DeepSpeed save by name. Source: deepspeed/utils/zero_to_fp32.py. Private to
// checkpoint/formats.
#pragma once

#include "base/limits.h"
#include "checkpoint/formats/deepspeed_flat.h"
#include "checkpoint/formats/deepspeed_ranks.h"

namespace ckpt::formats {

// `module` of the model states, with the 32-bit weights of the optimizer where the ranks have them: of ZeRO 1
// and 2 instead of the module's own, of ZeRO 3 instead of empty tensors.
value::NodeId assemble_weights(const DeepSpeedRanks& ranks, DeepSpeedBudget& budget, const Limits& limits,
                               Checkpoint& out);

}  // namespace ckpt::formats
