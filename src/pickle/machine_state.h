// The running pickle machine: stack, memo, budget, and what each opcode does with them. Private to pickle;
// machine.h is the public interface. A method that finds the stream broken throws an Error without offset, to
// which run() adds the opcode and its offset.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/limits.h"
#include "pickle/machine.h"
#include "pickle/machine_stack.h"
#include "pickle/opcode_reader.h"
#include "pickle/text_forms.h"
#include "value/tree.h"

namespace ckpt::pickle {

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, value::Tree& tree, const Limits& limits, PickleResult& result)
      : reader_(bytes), tree_(tree), limits_(limits), result_(result) {}

  void run();

 private:
  using NodeId = value::NodeId;
  using Nodes = std::span<const NodeId>;

  // machine.cpp: the loop, the budget, and the opcodes that need one line.
  void step();
  void execute();
  void check_budget();
  void report_frame_fault();
  void report_duplicate_keys();
  void report_rest();
  void set_protocol();
  void defect(std::string_view code, std::string text);
  // For work that grows with the input beyond the cost of an opcode.
  void charge_work(std::uint64_t opcodes) { executed_ += opcodes; }
  void charge_slots(std::uint64_t slots) { slots_ += slots; }

  // machine_scalars.cpp
  void push_integer(const std::optional<Integer>& integer);
  void push_real_line();
  void push_unicode(std::string_view text, bool borrowed);
  void push_unicode_line();
  void push_python2_string(std::string_view text, bool borrowed);
  void push_string_line();
  void push_persistent_line();
  void memo_put(std::uint64_t index);
  void memo_get(std::uint64_t index);
  std::uint64_t line_index();

  // machine_containers.cpp
  NodeId add_tuple(Nodes elements);
  void push_tuple(std::size_t size);
  void push_marked_tuple();
  void push_list();
  void push_dict();
  void push_set();
  void push_bytearray();
  void push_frozen_set();
  void append_one();
  void append_marked();
  void append(NodeId target, Nodes values);
  void add_marked_items();
  void set_one_item();
  void set_marked_items();
  void set_items(NodeId target, Nodes pairs);
  void report_wrong_target(NodeId target, std::string_view wanted);
  void report_not_utf8(std::string_view what, std::string_view text, std::string_view advice);
  void fill(NodeId list_or_set, Nodes values);
  void fill_dict(NodeId dict, Nodes pairs);
  void check_key(NodeId key);
  void check_hashable(NodeId key);
  bool is_hashable(NodeId key) const;

  // machine_objects.cpp
  void push_import(std::string_view module, std::string_view name, bool resolvable);
  void import_from_stack();
  std::string import_text(NodeId operand) const;
  void import_extension();
  void check_call(NodeId callee, NodeId args);
  void push_object(const value::ObjectParts& parts);
  void mark_called(NodeId callee);
  void reduce();
  void new_object(bool with_keywords);
  void object_of_mark();
  void instance_of_name();
  void build();
  void set_state(NodeId target, NodeId state);
  void push_buffer();
  void take_readonly();

  OpcodeReader reader_;
  value::Tree& tree_;
  const Limits& limits_;
  PickleResult& result_;
  Instruction now_;  // the one being executed
  Stack stack_;
  Memo memo_;
  std::map<NodeId, std::size_t> imports_;  // the node of a name -> its place in the result
  std::unordered_set<NodeId> mutable_;  // sets of EMPTY_SET (others are frozen) and bytearrays
  std::map<std::string, int, std::less<>> defect_counts_;
  std::vector<value::Item> items_;  // scratch
  int protocol_ = 0;                // that of the last PROTO
  std::uint64_t executed_ = 0;
  std::uint64_t slots_ = 0;
  bool stopped_ = false;
};

}  // namespace ckpt::pickle
