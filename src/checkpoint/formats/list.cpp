// The formats, in probing order. One line per format.
#include <algorithm>
#include <iterator>

#include "checkpoint/format.h"
#include "checkpoint/formats/dcp.h"
#include "checkpoint/formats/deepspeed.h"
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
    formats::kTorchZip, formats::kTorchLegacy, formats::kTorchTar,  formats::kSafetensors, formats::kNpy,
    formats::kGguf,     formats::kDcp,         formats::kDeepSpeed, formats::kHuggingFace,
};

}  // namespace

std::span<const Format> all_formats() { return kFormats; }

const Format* format_of(const Source& source) {
  const auto found = std::find_if(std::begin(kFormats), std::end(kFormats),
                                  [&](const Format& format) { return format.probe(source); });
  return found == std::end(kFormats) ? nullptr : found;
}

}  // namespace ckpt
