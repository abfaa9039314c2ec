// Under which key a version of Lightning keeps the state of the gradient scaler: the class name of its
// precision plugin, which changed in 1.9, 2.0 and 2.1.
#pragma once

#include <string_view>

#include "training/items.h"

namespace ckpt::training {

// True if code whose file has the scaler under `own` restores it from a file that has it under `key`, run by
// Lightning `version`.
bool reads_precision_key(std::string_view own, std::string_view key, const Version& version);

}  // namespace ckpt::training
