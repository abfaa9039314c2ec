// What every fuzz target starts with: the bytes as the project takes them, and limits that keep a run short.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/limits.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace ckpt::fuzz {

inline std::vector<std::byte> bytes_of(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> bytes(size);
  if (size != 0) std::memcpy(bytes.data(), data, size);
  return bytes;
}

// A fuzzer looks for crashes, not for how long the largest allowed input takes.
inline Limits short_limits() {
  Limits limits;
  limits.pickle_bytes = 1u << 20;
  limits.zip_directory_bytes = 1u << 20;
  limits.opcodes = 100'000;
  limits.nodes = 100'000;
  limits.paths = 10'000;
  return limits;
}

}  // namespace ckpt::fuzz
