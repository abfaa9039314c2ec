// Writes pickles the way an assembler writes programs: one call, one opcode, in the order of the calls.
//   PickleBuilder b;
//   b.proto(2).global("os", "system").unicode("x").tuple1().reduce().stop();
// Nothing is checked, on purpose: most pickles that tests need are wrong in exactly one place. Names are
// those of pickletools in lower case; the text forms of protocol 0 start with line_. The torch helpers at
// the end push what torch.save writes for a storage, a tensor and a state_dict.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pickle/opcodes.h"

namespace ckpt::test {

class PickleBuilder {
 public:
  using Opcode = pickle::Opcode;

  // --- the result ------------------------------------------------------------------------------------
  const std::string& text() const { return out_; }
  std::vector<std::byte> bytes() const;
  std::shared_ptr<const std::vector<std::byte>> shared() const;
  std::uint64_t size() const { return out_.size(); }  // the offset of the next opcode

  // --- building blocks -------------------------------------------------------------------------------
  PickleBuilder& op(Opcode code);                             // just the code
  PickleBuilder& raw(std::string_view bytes);                 // anything
  PickleBuilder& little(std::uint64_t value, int width);      // the low `width` bytes
  PickleBuilder& declare(Opcode code, std::uint64_t length);  // code and length field, no content
  PickleBuilder& insert(const PickleBuilder& other);          // everything `other` holds

  // --- stack and end ---------------------------------------------------------------------------------
  PickleBuilder& mark() { return op(Opcode::kMark); }
  PickleBuilder& pop() { return op(Opcode::kPop); }
  PickleBuilder& pop_mark() { return op(Opcode::kPopMark); }
  PickleBuilder& dup() { return op(Opcode::kDup); }
  PickleBuilder& stop() { return op(Opcode::kStop); }
  PickleBuilder& proto(std::uint8_t version) { return op(Opcode::kProto).little(version, 1); }
  PickleBuilder& frame(std::uint64_t length) { return op(Opcode::kFrame).little(length, 8); }

  // --- constants and numbers -------------------------------------------------------------------------
  PickleBuilder& none() { return op(Opcode::kNone); }
  PickleBuilder& boolean(bool value) { return op(value ? Opcode::kNewTrue : Opcode::kNewFalse); }
  PickleBuilder& integer(std::int64_t value);  // as BININT1, BININT2, BININT or LONG1
  PickleBuilder& binint(std::int32_t value);
  PickleBuilder& binint1(std::uint8_t value) { return op(Opcode::kBinInt1).little(value, 1); }
  PickleBuilder& binint2(std::uint16_t value) { return op(Opcode::kBinInt2).little(value, 2); }
  PickleBuilder& long1(std::string_view two_complement);
  PickleBuilder& long4(std::string_view two_complement);
  PickleBuilder& binfloat(double value);
  PickleBuilder& line_int(std::string_view line) { return line_of(Opcode::kInt, line); }
  PickleBuilder& line_long(std::string_view line) { return line_of(Opcode::kLong, line); }
  PickleBuilder& line_float(std::string_view line) { return line_of(Opcode::kFloat, line); }

  // --- text and bytes --------------------------------------------------------------------------------
  PickleBuilder& unicode(std::string_view text);  // BINUNICODE
  PickleBuilder& short_unicode(std::string_view text);
  PickleBuilder& unicode8(std::string_view text);
  PickleBuilder& binstring(std::string_view text);  // Python 2's str
  PickleBuilder& short_binstring(std::string_view text);
  PickleBuilder& binbytes(std::string_view bytes);
  PickleBuilder& short_binbytes(std::string_view bytes);
  PickleBuilder& binbytes8(std::string_view bytes);
  PickleBuilder& bytearray8(std::string_view bytes);
  PickleBuilder& next_buffer() { return op(Opcode::kNextBuffer); }
  PickleBuilder& readonly_buffer() { return op(Opcode::kReadonlyBuffer); }
  PickleBuilder& line_unicode(std::string_view line) { return line_of(Opcode::kUnicode, line); }
  // The line includes its quotes: b.line_string("'text'").
  PickleBuilder& line_string(std::string_view line) { return line_of(Opcode::kString, line); }

  // --- containers ------------------------------------------------------------------------------------
  PickleBuilder& empty_tuple() { return op(Opcode::kEmptyTuple); }
  PickleBuilder& tuple() { return op(Opcode::kTuple); }
  PickleBuilder& tuple1() { return op(Opcode::kTuple1); }
  PickleBuilder& tuple2() { return op(Opcode::kTuple2); }
  PickleBuilder& tuple3() { return op(Opcode::kTuple3); }
  PickleBuilder& empty_list() { return op(Opcode::kEmptyList); }
  PickleBuilder& list() { return op(Opcode::kList); }
  PickleBuilder& append() { return op(Opcode::kAppend); }
  PickleBuilder& appends() { return op(Opcode::kAppends); }
  PickleBuilder& empty_dict() { return op(Opcode::kEmptyDict); }
  PickleBuilder& dict() { return op(Opcode::kDict); }
  PickleBuilder& setitem() { return op(Opcode::kSetItem); }
  PickleBuilder& setitems() { return op(Opcode::kSetItems); }
  PickleBuilder& empty_set() { return op(Opcode::kEmptySet); }
  PickleBuilder& additems() { return op(Opcode::kAddItems); }
  PickleBuilder& frozenset() { return op(Opcode::kFrozenSet); }

  // --- memo ------------------------------------------------------------------------------------------
  PickleBuilder& memoize() { return op(Opcode::kMemoize); }
  PickleBuilder& binput(std::uint8_t index) { return op(Opcode::kBinPut).little(index, 1); }
  PickleBuilder& long_binput(std::uint32_t index) { return op(Opcode::kLongBinPut).little(index, 4); }
  PickleBuilder& line_put(std::string_view line) { return line_of(Opcode::kPut, line); }
  PickleBuilder& binget(std::uint8_t index) { return op(Opcode::kBinGet).little(index, 1); }
  PickleBuilder& long_binget(std::uint32_t index) { return op(Opcode::kLongBinGet).little(index, 4); }
  PickleBuilder& line_get(std::string_view line) { return line_of(Opcode::kGet, line); }

  // --- imports, objects, persistent ids --------------------------------------------------------------
  PickleBuilder& global(std::string_view module, std::string_view name);
  PickleBuilder& stack_global() { return op(Opcode::kStackGlobal); }
  PickleBuilder& inst(std::string_view module, std::string_view name);
  PickleBuilder& ext1(std::uint8_t code) { return op(Opcode::kExt1).little(code, 1); }
  PickleBuilder& ext2(std::uint16_t code) { return op(Opcode::kExt2).little(code, 2); }
  PickleBuilder& ext4(std::int32_t code) {
    return op(Opcode::kExt4).little(static_cast<std::uint32_t>(code), 4);
  }
  PickleBuilder& reduce() { return op(Opcode::kReduce); }
  PickleBuilder& build() { return op(Opcode::kBuild); }
  PickleBuilder& obj() { return op(Opcode::kObj); }
  PickleBuilder& newobj() { return op(Opcode::kNewObj); }
  PickleBuilder& newobj_ex() { return op(Opcode::kNewObjEx); }
  PickleBuilder& binpersid() { return op(Opcode::kBinPersId); }
  PickleBuilder& line_persid(std::string_view line) { return line_of(Opcode::kPersId, line); }

  // --- what torch.save writes ------------------------------------------------------------------------
  // GLOBAL os system, a harmless command, TUPLE1, REDUCE: the payload of the hostile fixtures.
  PickleBuilder& payload();
  // A tuple of numbers, as sizes and strides are written.
  PickleBuilder& integers(std::span<const std::int64_t> values);
  // The persistent id ("storage", torch.CLASS, key, location, numel) of a zip checkpoint.
  PickleBuilder& torch_storage(std::string_view key, std::string_view storage_class, std::int64_t numel,
                               std::string_view location = "cpu");
  // torch._utils._rebuild_tensor_v2 over such a storage.
  PickleBuilder& torch_tensor(std::string_view key, std::string_view storage_class, std::int64_t numel,
                              std::span<const std::int64_t> shape, std::span<const std::int64_t> strides,
                              std::int64_t offset = 0, std::string_view location = "cpu");
  // The same, contiguous, over a storage of just its size.
  PickleBuilder& torch_tensor(std::string_view key, std::string_view storage_class,
                              std::span<const std::int64_t> shape);
  // collections.OrderedDict(): empty, as backward hooks are; or the start of a state_dict:
  //   b.ordered_dict().mark().unicode("weight").torch_tensor("0", "FloatStorage", shape).setitems()
  PickleBuilder& ordered_dict();

 private:
  PickleBuilder& line_of(Opcode code, std::string_view line) { return op(code).raw(line).raw("\n"); }
  PickleBuilder& sized(Opcode code, std::string_view content);

  std::string out_;
};

// Strides of a contiguous tensor, in elements; those of a dimension of 0 count as 1, as in torch.
std::vector<std::int64_t> contiguous_strides(std::span<const std::int64_t> shape);

}  // namespace ckpt::test
