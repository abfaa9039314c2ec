// All limits on hostile inputs, in one place; passed down by reference.
// Hitting one throws Error{kLimit} (the input was not fully judged: status 2, rule security-limits).
#pragma once

#include <cstddef>
#include <cstdint>

namespace ckpt {

// A million tensors in one archive fit, with as many records, some 45 opcodes and 15 nodes each.
struct Limits {
  std::uint64_t pickle_bytes = 256ull << 20;         // data.pkl, after inflating
  std::uint64_t zip_directory_bytes = 256ull << 20;  // central directory
  std::uint64_t zip_entries = 2'500'000;
  std::uint64_t zip_name_bytes = 4096;             // longer entry names are a defect
  std::uint64_t small_record_bytes = 64ull << 10;  // version, byteorder, ... and other text records
  std::uint64_t inflate_ratio = 1032;              // zlib's own maximum; beyond it the header lies
  std::uint64_t opcodes = 150'000'000;
  std::uint64_t nodes = 40'000'000;             // tree nodes plus container slots / 4
  std::uint64_t integer_digits = 4300;          // decimal INT and LONG, as CPython 3.11
  std::size_t depth = 1000;                     // nesting of the object graph
  std::uint64_t paths = 2'500'000;              // places reached while walking (shared parts count again)
  std::uint64_t name_bytes = 64ull << 10;       // a longer key is a defect
  std::size_t dimensions = 64;                  // more is a defect
  std::uint64_t quantizer_channels = 1u << 22;  // scales of all tensors together; beyond, codes are shown
  std::size_t folder_files = 100'000;           // in a folder that is one checkpoint
  std::uint64_t index_bytes =
      64ull << 20;  // JSON that says where tensors are: safetensors headers, shard indexes
  std::uint64_t spooled_bytes = 64ull << 30;  // a pipe's, or a revision's, in a temporary file
  std::uint64_t listing_bytes = 64ull << 20;  // what git says about names
};

}  // namespace ckpt
