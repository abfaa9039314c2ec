// Folders of Hugging Face: weights in one file or in shards with an index, with or without config.json; what
// the Trainer and Accelerate save for going on with training. Sources: transformers/utils/__init__.py (file
// names), transformers/trainer.py, accelerate/utils/constants.py, huggingface_hub/serialization/_torch.py
// (the index).
#pragma once

#include "checkpoint/format.h"

namespace ckpt::formats {

extern const Format kHuggingFace;

}  // namespace ckpt::formats
