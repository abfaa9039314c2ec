#include "base/utf8.h"

namespace ckpt {
namespace {

std::uint32_t byte_at(std::string_view text, std::size_t position) {
  return static_cast<unsigned char>(text[position]);
}

// The length that a lead byte implies, and the valid range of its second byte (table 3-7).
struct Lead {
  std::size_t size = 1;
  std::uint32_t payload = 0;
  std::uint32_t low = 0x80;
  std::uint32_t high = 0xBF;
};

Lead lead_of(std::uint32_t byte) {
  if (byte < 0xC2 || byte > 0xF4) return {};
  if (byte < 0xE0) return {2, byte & 0x1F, 0x80, 0xBF};
  if (byte < 0xF0) return {3, byte & 0x0F, byte == 0xE0 ? 0xA0u : 0x80u, byte == 0xED ? 0x9Fu : 0xBFu};
  return {4, byte & 0x07, byte == 0xF0 ? 0x90u : 0x80u, byte == 0xF4 ? 0x8Fu : 0xBFu};
}

}  // namespace

Character character_at(std::string_view text, std::size_t position) {
  const std::uint32_t first = byte_at(text, position);
  if (first < 0x80) return {first, 1, true};
  const Character broken{first, 1, false};
  const Lead lead = lead_of(first);
  if (lead.size == 1 || text.size() - position < lead.size) return broken;
  const std::uint32_t second = byte_at(text, position + 1);
  if (second < lead.low || second > lead.high) return broken;
  std::uint32_t code = lead.payload << 6 | (second & 0x3F);
  for (std::size_t i = 2; i < lead.size; ++i) {
    const std::uint32_t next = byte_at(text, position + i);
    if ((next & 0xC0) != 0x80) return broken;
    code = code << 6 | (next & 0x3F);
  }
  return {code, lead.size, true};
}

}  // namespace ckpt
