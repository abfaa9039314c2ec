// The scales and zero points of tensors that are quantized per channel: tensors themselves, so they can be
// read only when all storages are known.
#pragma once

#include "base/limits.h"
#include "checkpoint/checkpoint.h"

namespace ckpt {

// Fills Quantizer::scales and zero_points where they can be read and fit; elsewhere the tensor stays codes.
void read_quantizers(Checkpoint& out, const Limits& limits);

}  // namespace ckpt
