// The bytes of a chunk of a sharded tensor that is a whole torch.save archive in a file of many. The archive
// is opened when its bytes are read: a folder of 10,000 tensors is opened without reading any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/limits.h"
#include "io/byte_source.h"
#include "tensor/dtype.h"

namespace ckpt::formats {

struct Chunk {
  io::SourcePtr archive;
  std::string name;  // of the tensor, for messages
  tensor::DType dtype = tensor::DType::kFloat32;
  std::vector<std::uint64_t> sizes;  // its shape; the product does not overflow
};

// The elements in C order. Reading throws kCorrupt if the archive does not hold a tensor of that dtype and
// shape.
io::SourcePtr chunk_source(Chunk chunk, const Limits& limits);

}  // namespace ckpt::formats
