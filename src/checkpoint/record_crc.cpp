#include "checkpoint/record_crc.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "base/crc32.h"

namespace ckpt {

std::uint32_t crc32_of(const io::ByteSource& bytes) {
  constexpr std::uint64_t kWindow = 4u << 20;
  constexpr std::uint64_t kBlock = 1u << 18;  // stays in the cache between the copy and the sum
  Crc32 crc;
  std::vector<std::byte> buffer;
  for (std::uint64_t at = 0; at < bytes.size();) {
    const std::uint64_t left = bytes.size() - at;
    if (const auto window = bytes.window(at, std::min(kWindow, left))) {
      crc.update(window->bytes);
      at += window->bytes.size();
      continue;
    }
    buffer.resize(std::min(kBlock, left));
    bytes.read(at, buffer);
    crc.update(buffer);
    at += buffer.size();
  }
  return crc.value();
}

}  // namespace ckpt
