// Imports, calls and instances. Nothing is imported and nothing is called.
#include <fmt/format.h>

#include "base/text.h"
#include "pickle/machine_state.h"
#include "pickle/python2_names.h"
#include "value/path.h"

namespace ckpt::pickle {
namespace {

using value::Kind;
using value::kNoNode;

constexpr int kFirstPython3Protocol = 3;
constexpr std::uint64_t kNameBytesPerOpcode = 64;  // looking up a name of that length costs an opcode
constexpr std::uint64_t kObjectSlots = 7;

}  // namespace

// CPython maps the names of Python 2 while the protocol is below 3 (Unpickler.find_class), also for INST and
// STACK_GLOBAL.
void Machine::push_import(std::string_view module, std::string_view name, bool resolvable) {
  charge_work((module.size() + name.size()) / kNameBytesPerOpcode);
  QualifiedName names{module, name};
  if (resolvable && protocol_ < kFirstPython3Protocol) names = python3_name(names);
  const NodeId node = tree_.add_global(names.module, names.name);
  stack_.push(node);
  const auto [known, added] = imports_.try_emplace(node, result_.imports.size());
  if (!added) {
    result_.imports[known->second].resolvable &= resolvable;
    return;
  }
  result_.imports.push_back(
      {std::string(names.module), std::string(names.name), now_.offset, resolvable, false});
  if (!is_utf8(module) || !is_utf8(name))
    report_not_utf8("the imported name", tree_.qualified_name(node), "");
  else if (one_line(module) != module || one_line(name) != name)
    defect("name-unprintable", fmt::format("the imported name {} has control or invisible characters",
                                           quote(abbreviate(tree_.qualified_name(node), 60))));
  if (module.size() > limits_.name_bytes || name.size() > limits_.name_bytes)
    defect("name-too-long", fmt::format("an imported name has {} bytes", module.size() + name.size()));
}

// The name, or if it is not one, a description that no name can equal.
std::string Machine::import_text(NodeId operand) const {
  if (tree_.kind(operand) == Kind::kString) return std::string(tree_.text(operand));
  return fmt::format("<computed: {}>", value::repr(tree_, operand, 100));
}

void Machine::import_from_stack() {
  const Nodes names = stack_.last(2);
  const NodeId module = names[0], name = names[1];
  stack_.drop(2);
  const bool resolvable = tree_.kind(module) == Kind::kString && tree_.kind(name) == Kind::kString;
  if (resolvable)
    push_import(tree_.text(module), tree_.text(name), true);
  else
    push_import(import_text(module), import_text(name), false);
}

// The registry of extension codes lives in the reading process (copyreg.add_extension): a file cannot say
// what a code means.
void Machine::import_extension() {
  if (now_.integer <= 0)
    fail(ErrorCode::kCorrupt,
         fmt::format("extension code {} is not positive; the pickle is damaged", now_.integer));
  defect("pickle-opcode-unsupported",
         fmt::format("{} imports whatever the reading program registered as extension {}",
                     opcode_info(now_.code).name, now_.integer));
  push_import("copyreg", fmt::format("<extension {}>", now_.integer), false);
}

// What no Python calls. Calls, and what they return, may be anything.
void Machine::check_call(NodeId callee, NodeId args) {
  const Kind called = tree_.kind(callee), given = tree_.kind(args);
  const bool name = called == Kind::kGlobal || called == Kind::kObject || called == Kind::kPersistent;
  if (!name)
    defect("pickle-malformed", fmt::format("{} calls a value of type {}", opcode_info(now_.code).name,
                                           quote(value::type_name(tree_, callee))));
  if (given != Kind::kTuple && given != Kind::kObject)
    defect("pickle-malformed",
           fmt::format("{} with arguments of type {}: Python takes a tuple", opcode_info(now_.code).name,
                       quote(value::type_name(tree_, args))));
}

void Machine::push_object(const value::ObjectParts& parts) {
  mark_called(parts.callee);
  charge_slots(kObjectSlots);
  stack_.push(tree_.add_object(parts));
}

void Machine::mark_called(NodeId callee) {
  const auto import = imports_.find(callee);
  if (import != imports_.end()) result_.imports[import->second].called = true;
}

void Machine::reduce() {
  const Nodes last = stack_.last(2);
  value::ObjectParts parts;
  parts.callee = last[0];
  parts.args = last[1];
  check_call(parts.callee, parts.args);
  stack_.drop(2);
  push_object(parts);
}

void Machine::new_object(bool with_keywords) {
  const std::size_t count = with_keywords ? 3 : 2;
  const Nodes last = stack_.last(count);
  value::ObjectParts parts;
  parts.callee = last[0];
  parts.args = last[1];
  check_call(parts.callee, parts.args);
  if (with_keywords) parts.kwargs = last[2];
  if (with_keywords && tree_.kind(parts.kwargs) != Kind::kDict)
    defect("pickle-malformed", fmt::format("NEWOBJ_EX with keyword arguments of type {}: Python takes a dict",
                                           quote(value::type_name(tree_, parts.kwargs))));
  parts.instance = true;
  stack_.drop(count);
  push_object(parts);
}

void Machine::object_of_mark() {
  const Nodes marked = stack_.above_mark();
  if (marked.empty()) fail(ErrorCode::kCorrupt, "expected a class above the MARK; the pickle is damaged");
  value::ObjectParts parts;
  parts.callee = marked[0];
  parts.args = add_tuple(marked.subspan(1));
  stack_.drop_mark();
  push_object(parts);
}

void Machine::instance_of_name() {
  value::ObjectParts parts;
  parts.args = add_tuple(stack_.above_mark());
  stack_.drop_mark();
  push_import(now_.text, now_.second, true);
  parts.callee = stack_.pop();
  push_object(parts);
}

void Machine::build() {
  const Nodes last = stack_.last(2);
  const NodeId target = last[0], state = last[1];
  stack_.drop(1);
  if (tree_.kind(target) == Kind::kObject) {
    mark_called(tree_.object(target).callee);
    return set_state(target, state);
  }
  mark_called(target);
  if (tree_.kind(target) != Kind::kGlobal)
    defect("pickle-opcode-unsupported", fmt::format("BUILD on a value of type {}, which has no state",
                                                    quote(value::type_name(tree_, target))));
  // The node of a name is shared by all its uses and must not change: an object around it holds the state.
  stack_.drop(1);
  value::ObjectParts parts;
  parts.callee = target;
  parts.state = state;
  push_object(parts);
}

// A second BUILD updates what the first one set; states of other types are kept side by side.
void Machine::set_state(NodeId target, NodeId state) {
  const NodeId before = tree_.object(target).state;
  if (before == kNoNode) {
    tree_.mutable_object(target).state = state;
    return;
  }
  NodeId both = kNoNode;
  if (tree_.kind(before) == Kind::kDict && tree_.kind(state) == Kind::kDict) {
    both = tree_.add_dict();
    charge_slots(2 * (tree_.items(before).size() + tree_.items(state).size()));
    charge_work(tree_.items(before).size() + tree_.items(state).size());
    tree_.set_items(both, tree_.items(before));
    tree_.set_items(both, tree_.items(state));
  } else {
    both = tree_.add_list();
    fill(both, std::array{before, state});
  }
  tree_.mutable_object(target).state = both;
}

// The bytes are outside the pickle: like a persistent id, but one that no file can provide.
void Machine::push_buffer() {
  defect("pickle-opcode-unsupported",
         "NEXT_BUFFER takes bytes from outside the pickle, which a file cannot provide");
  stack_.push(tree_.add_persistent(tree_.add_string("<next buffer>")));
}

// Of bytes it makes a view that cannot be written to; it is for buffers only.
void Machine::take_readonly() {
  const NodeId value = stack_.top();
  if (tree_.kind(value) != Kind::kBytes)
    defect("pickle-opcode-unsupported",
           fmt::format("READONLY_BUFFER on a value of type {}, which is no buffer",
                       quote(value::type_name(tree_, value))));
}

}  // namespace ckpt::pickle
