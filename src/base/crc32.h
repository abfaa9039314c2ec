// CRC-32 as zip, gzip and PNG use it (ISO 3309, reflected polynomial 0xEDB88320), by libdeflate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ckpt {

// Takes bytes in any number of pieces. No state outside the object.
class Crc32 {
 public:
  void update(std::span<const std::byte> bytes);
  // Adds what `after` took, as if this had taken it itself.
  void append(const Crc32& after);
  std::uint32_t value() const { return crc_; }

 private:
  std::uint32_t crc_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace ckpt
