// The opcodes of the pickle virtual machine and the shape of what follows each of them. The table is
// opcodes.def; no state, any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace ckpt::pickle {

enum class Opcode : std::uint8_t {
#define CKPT_OPCODE(enumerator, name, code, argument, protocol) enumerator = code,
#include "pickle/opcodes.def"
#undef CKPT_OPCODE
};

// What follows the code in the stream. Numbers are little-endian unless noted otherwise.
enum class Argument : std::uint8_t {
  kNone,
  kU8,
  kU16,
  kI32,
  kU32,
  kF64,   // big-endian double
  kLine,  // up to a newline
  kTwoLines,
  kText8,  // a length of that many bits, then as many bytes
  kText32,
  kTextI32,  // the length is signed: a negative one is an error
  kText64,
  kFrame,  // the 64-bit length of a frame; the frame itself is made of opcodes
};

struct OpcodeInfo {
  std::string_view name;  // as pickletools spells it; empty for a byte that is not an opcode
  Argument argument = Argument::kNone;
  int protocol = 0;  // the first protocol whose writer uses it
};

const OpcodeInfo& opcode_info(std::uint8_t code);
inline const OpcodeInfo& opcode_info(Opcode code) { return opcode_info(static_cast<std::uint8_t>(code)); }

}  // namespace ckpt::pickle
