// Computes the checksum of a record, to be compared with the recorded one:
// opening a checkpoint reads no tensor, and torch never checks.
#pragma once

#include <cstdint>

#include "io/byte_source.h"

namespace ckpt {

// CRC-32 of all of `bytes`, read front to back in blocks. Throws what reading throws; a deflated record whose
// content does not match its recorded checksum is kCorrupt.
std::uint32_t crc32_of(const io::ByteSource& bytes);

}  // namespace ckpt
