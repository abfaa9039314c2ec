// Cuts a pickle into opcodes and their arguments. Knows the shape of the stream, not its meaning;
// every length is checked against the available bytes, and arguments stay in place. Frames are read as a
// linear reader does, which ignores them, and contradictions are reported: CPython's C unpickler could go on
// at another byte than the pure Python one where an argument crosses the end of its frame (cpython#154848).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/byte_reader.h"
#include "pickle/opcodes.h"

namespace ckpt::pickle {

enum class FrameFault : std::uint8_t {
  kNone,
  kCrossed,  // the opcode began inside a frame and ended after it
  kNested,   // FRAME within a frame
};

struct Instruction {
  Opcode code = Opcode::kStop;
  FrameFault fault = FrameFault::kNone;
  std::uint64_t offset = 0;  // of the code
  std::int64_t integer = 0;  // kU8 ... kU32; the length of a frame
  double real = 0;           // kF64
  std::string_view text;     // kLine and kText*; the first of kTwoLines
  std::string_view second;   // the second of kTwoLines
};

class OpcodeReader {
 public:
  // The bytes must outlive the reader and the instructions.
  explicit OpcodeReader(std::span<const std::byte> bytes) : reader_(bytes) {}

  // The next instruction. Throws kTruncated if the bytes end, kCorrupt for a byte that is not an opcode and
  // for a negative length.
  Instruction next();

  std::uint64_t offset() const { return reader_.offset(); }
  std::size_t remaining() const { return reader_.remaining(); }

 private:
  void read_argument(Instruction& instruction, const OpcodeInfo& info);
  void enter_frame(Instruction& instruction);
  void check_frame(Instruction& instruction);

  ByteReader reader_;
  std::uint64_t frame_end_ = 0;  // 0 outside frames
};

}  // namespace ckpt::pickle
