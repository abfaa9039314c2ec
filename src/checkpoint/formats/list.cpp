// The formats, in probing order. One line per format.
#include "checkpoint/format.h"
#include "checkpoint/formats/dcp.h"
#include "checkpoint/formats/gguf.h"
#include "checkpoint/formats/hugging_face.h"
#include "checkpoint/formats/numpy.h"
#include "checkpoint/formats/safetensors.h"
#include "checkpoint/formats/torch_legacy.h"
#include "checkpoint/formats/torch_tar.h"
#include "checkpoint/formats/torch_zip.h"

namespace ckpt {
namespace {

const Format kFormats[] = {
    formats::kNpz,  // before torch-zip, which takes every zip
    formats::kTorchZip,
    formats::kTorchLegacy,
    formats::kTorchTar,
    formats::kSafetensors,
    formats::kNpy,
    formats::kGguf,
    formats::kDcp,
    formats::kHuggingFace,
};

}  // namespace

std::span<const Format> all_formats() { return kFormats; }

}  // namespace ckpt
