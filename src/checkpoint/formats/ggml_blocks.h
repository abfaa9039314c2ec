// The types of GGUF tensors, and the values in their blocks. Private to checkpoint/formats.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "io/byte_source.h"
#include "tensor/dtype.h"

namespace ckpt::formats {

struct GgmlType {
  std::uint32_t code = 0;
  std::string_view name;             // "Q4_0"
  std::uint64_t block_elements = 1;  // a tensor's first dimension is a multiple of it
  std::uint64_t block_bytes = 0;
  std::optional<tensor::DType> dtype;  // of types that are a plain one
};

// Null for a code that is not known.
const GgmlType* ggml_type(std::uint32_t code);

// The float32 values of blocks of Q8_0 or Q4_0, computed when they are read; null for other types.
io::SourcePtr dequantized_source(const GgmlType& type, io::SourcePtr blocks);

}  // namespace ckpt::formats
