#include "base/crc32.h"

#include <libdeflate.h>
#include <zlib.h>

namespace ckpt {

void Crc32::update(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;  // libdeflate takes a null pointer for a question
  crc_ = libdeflate_crc32(crc_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void Crc32::append(const Crc32& after) {
  crc_ = static_cast<std::uint32_t>(::crc32_combine64(crc_, after.crc_, static_cast<z_off64_t>(after.size_)));
  size_ += after.size_;
}

}  // namespace ckpt
