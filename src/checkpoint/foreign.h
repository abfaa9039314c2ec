// Says what a file is that no format can read, from its first bytes, and what to do about it. The most common
// "corrupt checkpoint" reports are Git LFS pointers, HTML error pages and compressed downloads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"
#include "io/byte_source.h"

namespace ckpt {

// Always returns an Error: kEmpty, kPointer, kForeign, kLegacy, kTorchScript, kUnsupported, kTruncated or
// kCorrupt.
Error describe_foreign(std::span<const std::byte> head, const io::ByteSource& source);

// What a file that no format reads may hold of weights or pickled objects, in a word or two: "a pickle", "an
// archive". "" for texts, programs, documents and what is unknown.
std::string hidden_content(std::span<const std::byte> head, std::uint64_t file_size);

}  // namespace ckpt
