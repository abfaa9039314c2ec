// Any bytes as a checkpoint in one file: every format that is recognized by content.
#include "io/byte_source.h"
#include "tests/fuzz/judge_input.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ckpt;
  fuzz::judge(Source::of_bytes(io::memory_source(fuzz::bytes_of(data, size)), "fuzz.ckpt"));
  return 0;
}
