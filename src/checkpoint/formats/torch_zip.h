// What torch.save has written since torch 1.6: a zip of data.pkl, one record per storage, and a few small
// records. Source: torch/serialization.py, caffe2/serialize/inline_container.cc.
#pragma once

#include "checkpoint/format.h"

namespace ckpt::formats {

extern const Format kTorchZip;

}  // namespace ckpt::formats
