#include "checkpoint/formats/deepspeed.h"

namespace ckpt::formats {
namespace {

// deepspeed/runtime/engine.py writes both into the folder; `latest` names the folder of the save.
bool probe(const Source& source) {
  return source.is_folder() && (source.has("latest") || source.has("zero_to_fp32.py"));
}

void read(const Source& source, const Limits&, Checkpoint&) {
  fail(ErrorCode::kUnsupported,
       source.has("zero_to_fp32.py")
           ? "a DeepSpeed checkpoint, which is not read; merge it into one file first: python "
             "zero_to_fp32.py DIR "
             "model.pt"
           : "a DeepSpeed checkpoint, which is not read; merge it into one file first, with DeepSpeed's "
             "zero_to_fp32.py");
}

}  // namespace

const Format kDeepSpeed = {
    .name = "deepspeed",
    .help = "folders of DeepSpeed",
    .holds = "",
    .probe = probe,
    .read = read,
};

}  // namespace ckpt::formats
