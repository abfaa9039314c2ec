// Says what a file or folder is that no format can read, and what to do about it. The most common
// "corrupt checkpoint" reports are Git LFS pointers, HTML error pages and compressed downloads.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "checkpoint/source.h"

namespace ckpt {

// Always returns an Error: kEmpty, kPointer, kForeign, kTorchScript, kUnsupported, kTruncated or
// kCorrupt.
Error describe_foreign(const Source& source);

// The files that are named and refused, with what helps: "TorchScript", "HDF5 (Keras)", ...
std::span<const std::string_view> foreign_kinds();

// What a file that no format reads may hold of weights or pickled objects, in a word or two: "a pickle", "an
// archive". "" for texts, programs, documents and what is unknown.
std::string hidden_content(const Source& source);

}  // namespace ckpt
