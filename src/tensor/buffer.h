// Memory for one block of elements: aligned for every kernel, kept between tensors, never initialised twice.
#pragma once

#include <cstddef>
#include <vector>

namespace ckpt::tensor {

class Buffer {
 public:
  // At least `size` bytes, aligned to 64. Earlier content is lost.
  std::byte* reserve(std::size_t size) {
    const std::size_t lines = (size + sizeof(Line) - 1) / sizeof(Line);
    if (lines_.size() < lines) lines_.resize(lines);
    return lines_.empty() ? nullptr : lines_.front().bytes;
  }
  template <class T>
  T* reserve_as(std::size_t count) {
    return static_cast<T*>(static_cast<void*>(reserve(count * sizeof(T))));
  }
  void release() { std::vector<Line>().swap(lines_); }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::vector<Line> lines_;
};

}  // namespace ckpt::tensor
