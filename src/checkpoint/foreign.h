// Says what a file or folder is that no format can read, and what to do about it. The most common
// "corrupt checkpoint" reports are Git LFS pointers, HTML error pages and compressed downloads.
#pragma once

#include "base/error.h"
#include "checkpoint/source.h"

namespace ckpt {

// Always returns an Error: kEmpty, kPointer, kForeign, kTorchScript, kUnsupported, kTruncated or
// kCorrupt.
Error describe_foreign(const Source& source);

}  // namespace ckpt
