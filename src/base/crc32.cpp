#include "base/crc32.h"

#include <array>
#include <cstddef>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define CKPT_CRC32_FOLDING 1
#endif

namespace ckpt {
namespace {

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0u);
    tables[0][i] = crc;
  }
  for (std::size_t t = 1; t < 8; ++t)
    for (std::size_t i = 0; i < 256; ++i)
      tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xFF];
  return tables;
}

constexpr Tables kTables = make_tables();

std::uint32_t at(std::span<const std::byte> bytes, std::size_t i) {
  return std::to_integer<std::uint32_t>(bytes[i]);
}

// Eight bytes per step ("slicing-by-8").
std::uint32_t update_sliced(std::uint32_t crc, std::span<const std::byte> bytes) {
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    crc ^= at(bytes, 0) | at(bytes, 1) << 8 | at(bytes, 2) << 16 | at(bytes, 3) << 24;
    crc = kTables[7][crc & 0xFF] ^ kTables[6][crc >> 8 & 0xFF] ^ kTables[5][crc >> 16 & 0xFF] ^
          kTables[4][crc >> 24] ^ kTables[3][at(bytes, 4)] ^ kTables[2][at(bytes, 5)] ^
          kTables[1][at(bytes, 6)] ^ kTables[0][at(bytes, 7)];
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) crc = (crc >> 8) ^ kTables[0][(crc ^ at(bytes, i)) & 0xFF];
  return crc;
}

#ifdef CKPT_CRC32_FOLDING

// 64 bytes per step by carry-less multiplication: Gopal et al., "Fast CRC Computation for Generic Polynomials
// Using PCLMULQDQ Instruction" (Intel, 2009), with its constants for the reflected polynomial 0xEDB88320. The
// attribute keeps the wider instruction set inside this function, away from other files.
#define CKPT_FOLDING_TARGET __attribute__((target("pclmul,sse4.1")))

CKPT_FOLDING_TARGET inline __m128i load(std::span<const std::byte> bytes, std::size_t i) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes.data() + i));
}

// What `x` contributes to the block at k's distance.
CKPT_FOLDING_TARGET inline __m128i fold(__m128i x, __m128i k, __m128i onto) {
  return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(x, k, 0x00), _mm_clmulepi64_si128(x, k, 0x11)),
                       onto);
}

// bytes.size() is a multiple of 16 and at least 64.
CKPT_FOLDING_TARGET std::uint32_t update_folded(std::uint32_t crc, std::span<const std::byte> bytes) {
  const __m128i by_64 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4);
  const __m128i by_16 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
  __m128i a = _mm_xor_si128(load(bytes, 0), _mm_cvtsi32_si128(static_cast<int>(crc)));
  __m128i b = load(bytes, 16), c = load(bytes, 32), d = load(bytes, 48);
  for (bytes = bytes.subspan(64); bytes.size() >= 64; bytes = bytes.subspan(64)) {
    a = fold(a, by_64, load(bytes, 0));
    b = fold(b, by_64, load(bytes, 16));
    c = fold(c, by_64, load(bytes, 32));
    d = fold(d, by_64, load(bytes, 48));
  }
  a = fold(fold(fold(a, by_16, b), by_16, c), by_16, d);
  for (; bytes.size() >= 16; bytes = bytes.subspan(16)) a = fold(a, by_16, load(bytes, 0));
  // 128 bits to 64, to 32 (Barrett).
  const __m128i low = _mm_setr_epi32(~0, 0, ~0, 0);
  a = _mm_xor_si128(_mm_srli_si128(a, 8), _mm_clmulepi64_si128(a, by_16, 0x10));
  a = _mm_xor_si128(_mm_srli_si128(a, 4),
                    _mm_clmulepi64_si128(_mm_and_si128(a, low), _mm_set_epi64x(0, 0x163cd6124), 0x00));
  const __m128i poly = _mm_set_epi64x(0x1f7011641, 0x1db710641);
  const __m128i t = _mm_and_si128(_mm_clmulepi64_si128(_mm_and_si128(a, low), poly, 0x10), low);
  a = _mm_xor_si128(a, _mm_clmulepi64_si128(t, poly, 0x00));
  return static_cast<std::uint32_t>(_mm_extract_epi32(a, 1));
}

bool can_fold() {
  static const bool can = __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
  return can;
}

#endif

}  // namespace

void Crc32::update(std::span<const std::byte> bytes) {
#ifdef CKPT_CRC32_FOLDING
  if (bytes.size() >= 64 && can_fold()) {
    const std::size_t whole = bytes.size() & ~std::size_t{15};
    state_ = update_folded(state_, bytes.first(whole));
    bytes = bytes.subspan(whole);
  }
#endif
  state_ = update_sliced(state_, bytes);
}

}  // namespace ckpt
