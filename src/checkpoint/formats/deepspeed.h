// Folders of DeepSpeed: refused by name, with the way to one file.
#pragma once

#include "checkpoint/format.h"

namespace ckpt::formats {

extern const Format kDeepSpeed;

}  // namespace ckpt::formats
