#include "base/crc32.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace ckpt::test {

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::uint32_t crc_of(std::string_view text) {
  Crc32 crc;
  crc.update(bytes_of(text));
  return crc.value();
}

}  // namespace

TEST_CASE("CRC-32 agrees with the catalogue's check value and with zlib") {
  CHECK(crc_of("") == 0);
  CHECK(crc_of("a") == 0xE8B7BE43);
  CHECK(crc_of("123456789") == 0xCBF43926);
  CHECK(crc_of("The quick brown fox jumps over the lazy dog") == 0x414FA339);
}

TEST_CASE("CRC-32 does not depend on how the bytes are cut") {
  const std::string text = "The quick brown fox jumps over the lazy dog";
  for (std::size_t first = 0; first <= text.size(); ++first)
    for (std::size_t second = first; second <= text.size(); second += 5) {
      Crc32 crc;
      crc.update(bytes_of(std::string_view(text).substr(0, first)));
      crc.update(bytes_of(std::string_view(text).substr(first, second - first)));
      crc.update(bytes_of(std::string_view(text).substr(second)));
      CHECK(crc.value() == 0x414FA339);
    }
}

// Long pieces take another way (64 bytes a step) than what is left of them.
TEST_CASE("CRC-32 of every length and alignment is that of one bit after the other") {
  std::string text;
  std::uint32_t random = 1;
  for (int i = 0; i < 700; ++i) text += static_cast<char>((random = random * 1664525 + 1013904223) >> 24);
  for (std::size_t begin = 0; begin < 17; ++begin)
    for (std::size_t size = 0; size <= 400; size += size < 200 ? 1 : 7) {
      std::uint32_t naive = 0xFFFFFFFF;
      for (const char c : text.substr(begin, size)) {
        naive ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) naive = (naive >> 1) ^ ((naive & 1) != 0 ? 0xEDB88320u : 0u);
      }
      CAPTURE(begin);
      CAPTURE(size);
      CHECK(crc_of(std::string_view(text).substr(begin, size)) == ~naive);
    }
}

}  // namespace ckpt::test
