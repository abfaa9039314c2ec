#include "checkpoint/record_crc.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "base/crc32.h"

namespace ckpt {

std::uint32_t crc32_of(const io::ByteSource& bytes) {
  constexpr std::uint64_t kBlock = 1 << 18;  // stays in the cache between the copy and the sum
  Crc32 crc;
  std::vector<std::byte> buffer;
  for (std::uint64_t at = 0; at < bytes.size();) {
    const auto size = std::min(kBlock, bytes.size() - at);
    if (const auto view = bytes.view(at, size)) {
      crc.update(*view);
    } else {
      buffer.resize(size);
      bytes.read(at, buffer);
      crc.update(buffer);
    }
    at += size;
  }
  return crc.value();
}

}  // namespace ckpt
