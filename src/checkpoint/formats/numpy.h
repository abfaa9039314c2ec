// NumPy's arrays: .npy, and .npz, a zip of them. Source: numpy/lib/format.py.
#pragma once

#include "checkpoint/format.h"

namespace ckpt::formats {

extern const Format kNpy;
extern const Format kNpz;

}  // namespace ckpt::formats
