// The bounds check that every source makes before it reads. Private to io.
#pragma once

#include <cstdint>

namespace ckpt::io {

// Throws kTruncated unless [offset, offset + size) lies inside [0, available).
void require_range(std::uint64_t offset, std::uint64_t size, std::uint64_t available);

}  // namespace ckpt::io
