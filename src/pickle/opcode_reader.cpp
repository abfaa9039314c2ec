#include "pickle/opcode_reader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include <fmt/format.h>

#include "base/error.h"

namespace ckpt::pickle {
namespace {

constexpr std::array<OpcodeInfo, 256> make_table() {
  std::array<OpcodeInfo, 256> table;
#define CKPT_OPCODE(enumerator, name, code, argument, protocol) \
  table[code] = {#name, Argument::argument, protocol};
#include "pickle/opcodes.def"
#undef CKPT_OPCODE
  return table;
}

constexpr std::array<OpcodeInfo, 256> kTable = make_table();

std::uint64_t checked_length(std::int32_t length, std::string_view opcode, std::uint64_t offset) {
  if (length < 0)
    fail(ErrorCode::kCorrupt, fmt::format("{} has negative length {}; the pickle is damaged", opcode, length),
         offset);
  return static_cast<std::uint64_t>(length);
}

}  // namespace

const OpcodeInfo& opcode_info(std::uint8_t code) { return kTable[code]; }

Instruction OpcodeReader::next() {
  Instruction instruction;
  instruction.offset = reader_.offset();
  if (reader_.done())
    fail(ErrorCode::kTruncated, "the pickle ends without a STOP opcode; the file is cut short or damaged",
         instruction.offset);
  const auto code = reader_.le<std::uint8_t>("opcode");
  const OpcodeInfo& info = kTable[code];
  if (info.name.empty())
    fail(ErrorCode::kCorrupt, fmt::format("0x{:02x} is not a pickle opcode; the pickle is damaged", code),
         instruction.offset);
  instruction.code = static_cast<Opcode>(code);
  read_argument(instruction, info);
  check_frame(instruction);
  return instruction;
}

void OpcodeReader::read_argument(Instruction& instruction, const OpcodeInfo& info) {
  const std::string_view name = info.name;
  switch (info.argument) {
    case Argument::kNone: break;
    case Argument::kU8: instruction.integer = reader_.le<std::uint8_t>(name); break;
    case Argument::kU16: instruction.integer = reader_.le<std::uint16_t>(name); break;
    case Argument::kI32: instruction.integer = reader_.le<std::int32_t>(name); break;
    case Argument::kU32: instruction.integer = reader_.le<std::uint32_t>(name); break;
    case Argument::kF64: instruction.real = std::bit_cast<double>(reader_.be<std::uint64_t>(name)); break;
    case Argument::kLine: instruction.text = reader_.line(name); break;
    case Argument::kTwoLines:
      instruction.text = reader_.line(name);
      instruction.second = reader_.line(name);
      break;
    case Argument::kText8: instruction.text = reader_.text(reader_.le<std::uint8_t>(name), name); break;
    case Argument::kText32: instruction.text = reader_.text(reader_.le<std::uint32_t>(name), name); break;
    case Argument::kTextI32: {
      const auto length = reader_.le<std::int32_t>(name);
      instruction.text = reader_.text(checked_length(length, name, instruction.offset), name);
      break;
    }
    case Argument::kText64: instruction.text = reader_.text(reader_.le<std::uint64_t>(name), name); break;
    case Argument::kFrame: enter_frame(instruction); break;
  }
}

void OpcodeReader::enter_frame(Instruction& instruction) {
  const auto length = reader_.le<std::uint64_t>("FRAME");
  if (length > reader_.remaining())
    fail(ErrorCode::kTruncated,
         fmt::format("FRAME claims {} bytes, but {} are left; the file is cut short or damaged", length,
                     reader_.remaining()),
         instruction.offset);
  instruction.integer = static_cast<std::int64_t>(length);
  if (frame_end_ != 0) instruction.fault = FrameFault::kNested;
  frame_end_ = reader_.offset() + length;
}

// After an instruction: is it still within the frame that it began in?
void OpcodeReader::check_frame(Instruction& instruction) {
  if (frame_end_ == 0 || reader_.offset() < frame_end_) return;
  if (reader_.offset() > frame_end_) instruction.fault = FrameFault::kCrossed;
  frame_end_ = 0;
}

}  // namespace ckpt::pickle
