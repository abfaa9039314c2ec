// Says what a file is that no format can read, from its first bytes, and what to do about it. The most common
// "corrupt checkpoint" reports are Git LFS pointers, HTML error pages and compressed downloads.
#pragma once

#include <cstddef>
#include <span>

#include "base/error.h"
#include "io/byte_source.h"

namespace ckpt {

// Always returns an Error: kEmpty, kPointer, kForeign, kLegacy, kTorchScript, kUnsupported, kTruncated or
// kCorrupt.
Error describe_foreign(std::span<const std::byte> head, const io::ByteSource& source);

}  // namespace ckpt
