#include "tests/support/pickle_builder.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace ckpt::test {
namespace {

// The same table as the reader's, so that tests of other layers need not link it.
pickle::Argument argument_of(pickle::Opcode wanted) {
  using enum pickle::Argument;
  switch (wanted) {
#define CKPT_OPCODE(enumerator, name, code, argument, protocol) \
  case pickle::Opcode::enumerator:                              \
    return argument;
#include "pickle/opcodes.def"
#undef CKPT_OPCODE
  }
  return kNone;
}

int length_width(pickle::Opcode code) {
  const auto argument = argument_of(code);
  if (argument == pickle::Argument::kText8) return 1;
  return argument == pickle::Argument::kText64 ? 8 : 4;
}

}  // namespace

std::vector<std::byte> PickleBuilder::bytes() const {
  std::vector<std::byte> result(out_.size());
  std::transform(out_.begin(), out_.end(), result.begin(), [](char c) { return static_cast<std::byte>(c); });
  return result;
}

std::shared_ptr<const std::vector<std::byte>> PickleBuilder::shared() const {
  return std::make_shared<const std::vector<std::byte>>(bytes());
}

PickleBuilder& PickleBuilder::op(Opcode code) {
  out_ += static_cast<char>(code);
  return *this;
}

PickleBuilder& PickleBuilder::raw(std::string_view bytes) {
  out_ += bytes;
  return *this;
}

PickleBuilder& PickleBuilder::little(std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i) out_ += static_cast<char>(value >> (8 * i) & 0xFF);
  return *this;
}

PickleBuilder& PickleBuilder::declare(Opcode code, std::uint64_t length) {
  return op(code).little(length, length_width(code));
}

PickleBuilder& PickleBuilder::insert(const PickleBuilder& other) { return raw(std::string(other.out_)); }

PickleBuilder& PickleBuilder::sized(Opcode code, std::string_view content) {
  return declare(code, content.size()).raw(content);
}

PickleBuilder& PickleBuilder::binint(std::int32_t value) {
  return op(Opcode::kBinInt).little(static_cast<std::uint32_t>(value), 4);
}

PickleBuilder& PickleBuilder::integer(std::int64_t value) {
  if (value >= 0 && value < 256) return binint1(static_cast<std::uint8_t>(value));
  if (value >= 0 && value < 65536) return binint2(static_cast<std::uint16_t>(value));
  using Int32 = std::numeric_limits<std::int32_t>;
  if (value >= Int32::min() && value <= Int32::max()) return binint(static_cast<std::int32_t>(value));
  return declare(Opcode::kLong1, 8).little(static_cast<std::uint64_t>(value), 8);
}

PickleBuilder& PickleBuilder::binfloat(double value) {
  op(Opcode::kBinFloat);
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int i = 7; i >= 0; --i) little(bits >> (8 * i), 1);
  return *this;
}

PickleBuilder& PickleBuilder::long1(std::string_view two_complement) {
  return sized(Opcode::kLong1, two_complement);
}

PickleBuilder& PickleBuilder::long4(std::string_view two_complement) {
  return sized(Opcode::kLong4, two_complement);
}

PickleBuilder& PickleBuilder::unicode(std::string_view text) { return sized(Opcode::kBinUnicode, text); }

PickleBuilder& PickleBuilder::short_unicode(std::string_view text) {
  return sized(Opcode::kShortBinUnicode, text);
}

PickleBuilder& PickleBuilder::unicode8(std::string_view text) { return sized(Opcode::kBinUnicode8, text); }

PickleBuilder& PickleBuilder::binstring(std::string_view text) { return sized(Opcode::kBinString, text); }

PickleBuilder& PickleBuilder::short_binstring(std::string_view text) {
  return sized(Opcode::kShortBinString, text);
}

PickleBuilder& PickleBuilder::binbytes(std::string_view bytes) { return sized(Opcode::kBinBytes, bytes); }

PickleBuilder& PickleBuilder::short_binbytes(std::string_view bytes) {
  return sized(Opcode::kShortBinBytes, bytes);
}

PickleBuilder& PickleBuilder::binbytes8(std::string_view bytes) { return sized(Opcode::kBinBytes8, bytes); }

PickleBuilder& PickleBuilder::bytearray8(std::string_view bytes) { return sized(Opcode::kByteArray8, bytes); }

PickleBuilder& PickleBuilder::global(std::string_view module, std::string_view name) {
  return line_of(Opcode::kGlobal, module).raw(name).raw("\n");
}

PickleBuilder& PickleBuilder::inst(std::string_view module, std::string_view name) {
  return line_of(Opcode::kInst, module).raw(name).raw("\n");
}

PickleBuilder& PickleBuilder::payload() {
  return global("os", "system").unicode("echo harmless").tuple1().reduce();
}

PickleBuilder& PickleBuilder::integers(std::span<const std::int64_t> values) {
  mark();
  for (const std::int64_t value : values) integer(value);
  return tuple();
}

PickleBuilder& PickleBuilder::torch_storage(std::string_view key, std::string_view storage_class,
                                            std::int64_t numel, std::string_view location) {
  mark().unicode("storage").global("torch", storage_class);
  return unicode(key).unicode(location).integer(numel).tuple().binpersid();
}

PickleBuilder& PickleBuilder::torch_tensor(std::string_view key, std::string_view storage_class,
                                           std::int64_t numel, std::span<const std::int64_t> shape,
                                           std::span<const std::int64_t> strides, std::int64_t offset,
                                           std::string_view location) {
  global("torch._utils", "_rebuild_tensor_v2").mark();
  torch_storage(key, storage_class, numel, location).integer(offset).integers(shape).integers(strides);
  return boolean(false).ordered_dict().tuple().reduce();
}

PickleBuilder& PickleBuilder::torch_tensor(std::string_view key, std::string_view storage_class,
                                           std::span<const std::int64_t> shape) {
  std::int64_t numel = 1;
  for (const std::int64_t size : shape) numel *= size;
  return torch_tensor(key, storage_class, numel, shape, contiguous_strides(shape));
}

PickleBuilder& PickleBuilder::ordered_dict() {
  return global("collections", "OrderedDict").empty_tuple().reduce();
}

std::vector<std::int64_t> contiguous_strides(std::span<const std::int64_t> shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t next = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = next;
    next *= std::max<std::int64_t>(shape[i], 1);
  }
  return strides;
}

}  // namespace ckpt::test
