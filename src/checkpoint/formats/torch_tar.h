// What torch 0.1 wrote: a tar of `storages`, `tensors` and `pickle`. torch.load still reads it.
// Source: torch/serialization.py, legacy_load.
#pragma once

#include "checkpoint/format.h"

namespace ckpt::formats {

extern const Format kTorchTar;

}  // namespace ckpt::formats
