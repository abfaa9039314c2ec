// Any bytes as the files of a folder: torch.distributed.checkpoint, Hugging Face, DeepSpeed. A file is the
// length of its name (1 byte), the name, its size (3 bytes, little endian) and its bytes; seeds.py writes
// them so.
#include <algorithm>
#include <map>
#include <string>

#include "io/byte_source.h"
#include "tests/fuzz/judge_input.h"

namespace {

// What the input says, or as much of it as is there.
class Files {
 public:
  Files(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}

  std::map<std::string, ckpt::io::SourcePtr> take_all() {
    std::map<std::string, ckpt::io::SourcePtr> files;
    while (left_ > 0) {
      const std::size_t name_size = number(1);
      const std::string name(reinterpret_cast<const char*>(data_), std::min(name_size, left_));
      skip(name.size());
      const std::size_t size = std::min(number(3), left_);
      files[name] = ckpt::io::memory_source(ckpt::fuzz::bytes_of(data_, size));
      skip(size);
    }
    return files;
  }

 private:
  std::size_t number(std::size_t bytes) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < bytes && left_ > 0; ++i) {
      value |= std::size_t{*data_} << (8 * i);
      skip(1);
    }
    return value;
  }
  void skip(std::size_t count) {
    data_ += count;
    left_ -= count;
  }

  const std::uint8_t* data_;
  std::size_t left_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ckpt;
  fuzz::judge(Source::of_files(Files(data, size).take_all(), "fuzz"));
  return 0;
}
