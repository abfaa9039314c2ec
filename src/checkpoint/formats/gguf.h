// GGUF, llama.cpp's model files: metadata, names and shapes, tensors in blocks. Values of plain types, Q8_0
// and Q4_0 are read; other quantized tensors are compared by their bytes. Source: ggml/docs/gguf.md,
// ggml/src/ggml-common.h.
#pragma once

#include "checkpoint/format.h"

namespace ckpt::formats {

extern const Format kGguf;

}  // namespace ckpt::formats
