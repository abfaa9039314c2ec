// Keys of others that a DeepSpeed folder has or is given. training/keys.h, which spells them for everything
// else, is a later layer. Private to checkpoint/formats.
#pragma once

namespace ckpt::formats::keys {

// torch/optim/optimizer.py, state_dict
inline constexpr char kParamGroups[] = "param_groups";

// Lightning gives DeepSpeed all of a checkpoint but these two, and DeepSpeed writes it among its model states
// (lightning/pytorch/strategies/deepspeed.py, save_checkpoint). They are put back in their places.
inline constexpr char kStateDict[] = "state_dict";
inline constexpr char kOptimizerStates[] = "optimizer_states";

// By these the Trainer's folder is known.
inline constexpr char kVersion[] = "pytorch-lightning_version";
inline constexpr char kLoops[] = "loops";
inline constexpr char kCallbacks[] = "callbacks";
inline constexpr char kGlobalStep[] = "global_step";

// Before Lightning 2.1 the module was wrapped for DeepSpeed; Lightning's own conversion takes the name off
// (lightning/pytorch/utilities/deepspeed.py).
inline constexpr char kWrapper[] = "_forward_module.";

}  // namespace ckpt::formats::keys
