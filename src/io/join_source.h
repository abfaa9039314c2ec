// Ranges of several sources, one after another, as one source of bytes: a flat array whose parts lie in
// several files. Lighter than gather_source.h, which knows boxes of several dimensions.
#pragma once

#include <cstdint>
#include <vector>

#include "io/byte_source.h"

namespace ckpt::io {

struct Piece {
  SourcePtr bytes;
  std::uint64_t offset = 0, size = 0;
};

// Throws kTruncated if a range is not inside its source, kCorrupt if the sizes add up to more than 2^64.
SourcePtr join_sources(std::vector<Piece> pieces);

}  // namespace ckpt::io
