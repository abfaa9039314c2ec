// The header of a safetensors file as the library of that name accepts it. Private to checkpoint/formats.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ckpt::formats {

struct SafetensorsEntry {
  std::string name, dtype;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0, end = 0;  // bytes, from the end of the header
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;                      // in the order of the text
  std::vector<std::pair<std::string, std::string>> metadata;  // __metadata__
};

// Throws Error{kCorrupt} for what is not JSON, not of the form of a header, or has a key twice.
SafetensorsHeader parse_safetensors_header(std::string_view json);

}  // namespace ckpt::formats
