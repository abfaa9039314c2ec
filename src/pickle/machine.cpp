#include "pickle/machine.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "pickle/machine_state.h"

namespace ckpt::pickle {
namespace {

constexpr int kHighestProtocol = 5;
constexpr int kDefectsOfAKind = 20;  // a million of them would add nothing

}  // namespace

PickleResult run(std::shared_ptr<const std::vector<std::byte>> bytes, value::Tree& tree,
                 const Limits& limits) {
  PickleResult result;
  if (!bytes || bytes->empty()) {
    result.failure = Error(ErrorCode::kTruncated, "the pickle is empty; the file is cut short or damaged", 0);
    return result;
  }
  const std::span<const std::byte> view(*bytes);
  tree.keep(std::move(bytes));
  Machine(view, tree, limits, result).run();
  return result;
}

void Machine::run() {
  try {
    while (!stopped_) step();
    report_rest();
  } catch (const Error& error) {
    result_.failure = error;
    if (!error.offset())
      result_.failure =
          Error(error.code(), fmt::format("{}: {}", opcode_info(now_.code).name, error.text()), now_.offset);
  }
  report_duplicate_keys();
}

void Machine::step() {
  now_ = reader_.next();
  result_.opcodes.set(static_cast<std::size_t>(now_.code));
  if (now_.fault != FrameFault::kNone) report_frame_fault();
  execute();
  check_budget();
}

void Machine::check_budget() {
  ++executed_;
  if (executed_ > limits_.opcodes)
    fail(ErrorCode::kLimit,
         fmt::format("the pickle has more than {} opcodes; the rest is not read", limits_.opcodes));
  const std::uint64_t cost = tree_.size() + (slots_ + memo_.slots()) / 4;
  if (std::max<std::uint64_t>(cost, stack_.size()) > limits_.nodes)
    fail(ErrorCode::kLimit,
         fmt::format("the pickle holds more than {} values; the rest is not read", limits_.nodes));
}

void Machine::execute() {
  const Instruction& now = now_;
  const auto index = static_cast<std::uint64_t>(now.integer);
  switch (now.code) {
    case Opcode::kMark: return stack_.mark();
    case Opcode::kPop: return stack_.pop_value_or_mark();
    case Opcode::kPopMark: return stack_.drop_mark();
    case Opcode::kDup: return stack_.push(stack_.top());
    case Opcode::kStop:
      result_.root = stack_.pop();
      stopped_ = true;
      return;
    case Opcode::kProto: return set_protocol();
    case Opcode::kFrame: return;  // handled by the reader

    case Opcode::kNone: return stack_.push(tree_.add_none());
    case Opcode::kNewTrue: return stack_.push(tree_.add_bool(true));
    case Opcode::kNewFalse: return stack_.push(tree_.add_bool(false));
    case Opcode::kBinInt:
    case Opcode::kBinInt1:
    case Opcode::kBinInt2: return stack_.push(tree_.add_int(now.integer));
    case Opcode::kInt: return push_integer(integer_of_int(now.text, limits_));
    case Opcode::kLong: return push_integer(integer_of_long(now.text, limits_));
    case Opcode::kLong1:
    case Opcode::kLong4: return push_integer(integer_of_bytes(now.text, limits_));
    case Opcode::kBinFloat: return stack_.push(tree_.add_float(now.real));
    case Opcode::kFloat: return push_real_line();

    case Opcode::kShortBinUnicode:
    case Opcode::kBinUnicode:
    case Opcode::kBinUnicode8: return push_unicode(now.text, true);
    case Opcode::kUnicode: return push_unicode_line();
    case Opcode::kShortBinString:
    case Opcode::kBinString: return push_python2_string(now.text, true);
    case Opcode::kString: return push_string_line();
    case Opcode::kShortBinBytes:
    case Opcode::kBinBytes:
    case Opcode::kBinBytes8: return stack_.push(tree_.add_bytes(now.text, true));
    case Opcode::kByteArray8: return push_bytearray();
    case Opcode::kNextBuffer: return push_buffer();
    case Opcode::kReadonlyBuffer: return take_readonly();

    case Opcode::kEmptyTuple: return push_tuple(0);
    case Opcode::kTuple1: return push_tuple(1);
    case Opcode::kTuple2: return push_tuple(2);
    case Opcode::kTuple3: return push_tuple(3);
    case Opcode::kTuple: return push_marked_tuple();
    case Opcode::kEmptyList: return stack_.push(tree_.add_list());
    case Opcode::kList: return push_list();
    case Opcode::kAppend: return append_one();
    case Opcode::kAppends: return append_marked();
    case Opcode::kEmptyDict: return stack_.push(tree_.add_dict());
    case Opcode::kDict: return push_dict();
    case Opcode::kSetItem: return set_one_item();
    case Opcode::kSetItems: return set_marked_items();
    case Opcode::kEmptySet: return push_set();
    case Opcode::kAddItems: return add_marked_items();
    case Opcode::kFrozenSet: return push_frozen_set();

    case Opcode::kBinPut:
    case Opcode::kLongBinPut: return memo_put(index);
    case Opcode::kPut: return memo_put(line_index());
    case Opcode::kMemoize: return memo_put(memo_.count());
    case Opcode::kBinGet:
    case Opcode::kLongBinGet: return memo_get(index);
    case Opcode::kGet: return memo_get(line_index());

    case Opcode::kGlobal: return push_import(now.text, now.second, true);
    case Opcode::kStackGlobal: return import_from_stack();
    case Opcode::kExt1:
    case Opcode::kExt2:
    case Opcode::kExt4: return import_extension();
    case Opcode::kReduce: return reduce();
    case Opcode::kNewObj: return new_object(false);
    case Opcode::kNewObjEx: return new_object(true);
    case Opcode::kObj: return object_of_mark();
    case Opcode::kInst: return instance_of_name();
    case Opcode::kBuild: return build();
    case Opcode::kBinPersId: return stack_.push(tree_.add_persistent(stack_.pop()));
    case Opcode::kPersId: return push_persistent_line();
  }
}

void Machine::set_protocol() {
  const auto protocol = static_cast<int>(now_.integer);
  result_.protocol = std::max(result_.protocol, protocol);
  protocol_ = protocol;
  if (protocol <= kHighestProtocol) return;
  defect("pickle-protocol-unknown", fmt::format("the pickle declares protocol {}", protocol));
  fail(ErrorCode::kUnsupported,
       fmt::format("pickle protocol {} is unknown (the highest is {}); the file is damaged or newer than "
                   "this program",
                   protocol, kHighestProtocol));
}

void Machine::defect(std::string_view code, std::string text) {
  const auto count = defect_counts_.try_emplace(std::string(code), 0).first;
  ++count->second;
  if (count->second > kDefectsOfAKind) return;
  result_.defects.push_back({std::string(code), std::move(text), now_.offset});
}

void Machine::report_frame_fault() {
  const std::string_view what =
      now_.fault == FrameFault::kNested ? "is inside another FRAME" : "crosses the end of its FRAME";
  defect("pickle-frame-boundary", fmt::format("{} {}: Python's unpicklers may disagree about what follows",
                                              opcode_info(now_.code).name, what));
}

void Machine::report_rest() {
  result_.end = reader_.offset();
  if (reader_.remaining() == 0) return;
  now_.offset = result_.end;
  const bool one = reader_.remaining() == 1;
  defect("pickle-trailing-data",
         fmt::format("{} {} the end of the pickle and {} never read", plural(reader_.remaining(), "byte"),
                     one ? "follows" : "follow", one ? "is" : "are"));
}

void Machine::report_duplicate_keys() {
  for (const NodeId dict : tree_.drop_duplicate_keys())
    defect("pickle-duplicate-key",
           fmt::format("a dict repeats a key: the last value wins, as in Python, which leaves {}",
                       plural(tree_.items(dict).size(), "item")));
}

}  // namespace ckpt::pickle
