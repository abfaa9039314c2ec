// A cursor over bytes in memory. Every read is checked and names its field, so that an error
// says "the file ends inside 'storage key' ...". Cheap to copy; the bytes must outlive it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/error.h"

namespace ckpt {

class ByteReader {
 public:
  // `base` is the offset of bytes[0] in the file; errors report base + position.
  explicit ByteReader(std::span<const std::byte> bytes, std::uint64_t base = 0)
      : bytes_(bytes), base_(base) {}

  std::uint64_t offset() const { return base_ + position_; }
  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }
  bool done() const { return remaining() == 0; }

  // A little-endian (le) or big-endian (be) number. Throws kTruncated.
  template <class T>
  T le(std::string_view field) {
    return number<T>(field, std::endian::little);
  }
  template <class T>
  T be(std::string_view field) {
    return number<T>(field, std::endian::big);
  }

  // The next `size` bytes, in place. Throws kTruncated; never allocates.
  std::span<const std::byte> bytes(std::uint64_t size, std::string_view field);
  std::string_view text(std::uint64_t size, std::string_view field);
  // Up to the next newline, which is consumed but not returned. Throws kTruncated.
  std::string_view line(std::string_view field);
  void skip(std::uint64_t size, std::string_view field) { bytes(size, field); }
  void seek(std::size_t position, std::string_view field);

 private:
  template <class T>
  T number(std::string_view field, std::endian order) {
    const auto raw = bytes(sizeof(T), field);
    std::byte buffer[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i)
      buffer[i] = raw[order == std::endian::native ? i : sizeof(T) - 1 - i];
    T value;
    std::memcpy(&value, buffer, sizeof(T));
    return value;
  }

  std::span<const std::byte> bytes_;
  std::uint64_t base_ = 0;
  std::size_t position_ = 0;
};

}  // namespace ckpt
