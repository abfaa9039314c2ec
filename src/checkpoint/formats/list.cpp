// The formats, in probing order. One line per format.
#include "checkpoint/format.h"
#include "checkpoint/formats/dcp.h"
#include "checkpoint/formats/hugging_face.h"
#include "checkpoint/formats/safetensors.h"
#include "checkpoint/formats/torch_zip.h"

namespace ckpt {
namespace {

const Format kFormats[] = {
    formats::kTorchZip,
    formats::kSafetensors,
    formats::kDcp,
    formats::kHuggingFace,
};

}  // namespace

std::span<const Format> all_formats() { return kFormats; }

}  // namespace ckpt
