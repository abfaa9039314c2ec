// Tuples, lists, dicts and sets.
#include <fmt/format.h>

#include "base/text.h"
#include "pickle/machine_state.h"
#include "value/path.h"

namespace ckpt::pickle {
namespace {

using value::Kind;

constexpr std::uint64_t kContainerSlots =
    8;  // the vector of a container that is not empty, in addition to its slots
constexpr std::uint64_t kItemSlots = 2;
constexpr std::uint64_t kKeyParts = 100'000;  // of a tuple or frozenset as a key, shared ones counted again

[[noreturn]] void refuse_key(std::string_view type) {
  fail(ErrorCode::kCorrupt,
       fmt::format("a {} cannot be a dict key or a set element; the pickle is damaged", type));
}

}  // namespace

value::NodeId Machine::add_tuple(Nodes elements) {
  charge_slots(elements.size());
  return tree_.add_tuple(elements);
}

void Machine::push_tuple(std::size_t size) {
  const NodeId tuple = add_tuple(stack_.last(size));
  stack_.drop(size);
  stack_.push(tuple);
}

void Machine::push_marked_tuple() {
  const NodeId tuple = add_tuple(stack_.above_mark());
  stack_.drop_mark();
  stack_.push(tuple);
}

void Machine::push_list() {
  const NodeId list = tree_.add_list();
  fill(list, stack_.above_mark());
  stack_.drop_mark();
  stack_.push(list);
}

void Machine::push_dict() {
  const NodeId dict = tree_.add_dict();
  fill_dict(dict, stack_.above_mark());
  stack_.drop_mark();
  stack_.push(dict);
}

void Machine::push_set() {
  const NodeId set = tree_.add_set();
  mutable_.insert(set);
  charge_slots(kContainerSlots);
  stack_.push(set);
}

void Machine::push_bytearray() {
  stack_.push(tree_.add_bytes(now_.text, true));
  mutable_.insert(stack_.top());
  charge_slots(kContainerSlots);
}

void Machine::push_frozen_set() {
  const NodeId set = tree_.add_set();
  for (const NodeId element : stack_.above_mark()) check_hashable(element);
  fill(set, stack_.above_mark());
  stack_.drop_mark();
  stack_.push(set);
}

void Machine::append_one() {
  const Nodes last = stack_.last(2);
  append(last[0], last.subspan(1));
  stack_.drop(1);
}

void Machine::append_marked() {
  append(stack_.below_mark(), stack_.above_mark());
  stack_.drop_mark();
}

void Machine::append(NodeId target, Nodes values) {
  const Kind kind = tree_.kind(target);
  if (kind == Kind::kList) return fill(target, values);
  if (kind != Kind::kObject) return report_wrong_target(target, "list");
  if (values.empty()) return;
  value::ObjectParts& object = tree_.mutable_object(target);
  if (object.appended == value::kNoNode) object.appended = tree_.add_list();
  fill(object.appended, values);
}

void Machine::add_marked_items() {
  const NodeId target = stack_.below_mark();
  const Nodes values = stack_.above_mark();
  if (tree_.kind(target) == Kind::kSet) {
    for (const NodeId element : values) check_hashable(element);
    fill(target, values);
  } else if (tree_.kind(target) == Kind::kObject) {
    append(target, values);
  } else {
    report_wrong_target(target, "set");
  }
  stack_.drop_mark();
}

void Machine::set_one_item() {
  const Nodes last = stack_.last(3);
  set_items(last[0], last.subspan(1));
  stack_.drop(2);
}

void Machine::set_marked_items() {
  set_items(stack_.below_mark(), stack_.above_mark());
  stack_.drop_mark();
}

void Machine::set_items(NodeId target, Nodes pairs) {
  const Kind kind = tree_.kind(target);
  if (kind == Kind::kDict) return fill_dict(target, pairs);
  if (kind != Kind::kObject) return report_wrong_target(target, "dict");
  if (pairs.empty()) return;
  value::ObjectParts& object = tree_.mutable_object(target);
  if (object.items == value::kNoNode) object.items = tree_.add_dict();
  fill_dict(object.items, pairs);
}

// torch before 2.10 corrupts its memory here (CVE-2026-24747).
void Machine::report_wrong_target(NodeId target, std::string_view wanted) {
  defect("pickle-setitem-on-non-dict",
         fmt::format("{} on a value of type {}, which is not a {}; its values are dropped",
                     opcode_info(now_.code).name, quote(value::type_name(tree_, target)), wanted));
}

void Machine::fill(NodeId list_or_set, Nodes values) {
  if (tree_.elements(list_or_set).empty()) charge_slots(kContainerSlots);
  charge_slots(values.size());
  tree_.append(list_or_set, values);
}

void Machine::fill_dict(NodeId dict, Nodes pairs) {
  if (pairs.size() % 2 != 0)
    fail(ErrorCode::kCorrupt,
         fmt::format("{} keys and values do not pair up; the pickle is damaged", pairs.size()));
  items_.clear();
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    check_key(pairs[i]);
    items_.push_back({pairs[i], pairs[i + 1]});
  }
  if (tree_.items(dict).empty()) charge_slots(kContainerSlots);
  charge_slots(kItemSlots * items_.size());
  tree_.set_items(dict, items_);
}

void Machine::check_key(NodeId key) {
  check_hashable(key);
  if (tree_.kind(key) == Kind::kString && tree_.text(key).size() > limits_.name_bytes)
    defect("name-too-long", fmt::format("a key has {} bytes: {}", tree_.text(key).size(),
                                        quote(abbreviate(tree_.text(key).substr(0, 200), 60))));
}

// No unpickler accepts what can change as a key. A hash of nested tuples and frozensets visits every path to
// their elements, in Python, too: what shares its parts too often is not hashed but refused.
void Machine::check_hashable(NodeId key) {
  const Kind kind = tree_.kind(key);
  if (kind != Kind::kTuple && kind != Kind::kSet) {
    if (!is_hashable(key)) refuse_key(value::type_name(tree_, key));
    return;
  }
  std::vector<NodeId> open = {key};
  std::uint64_t visited = 0;
  while (!open.empty()) {
    const NodeId id = open.back();
    open.pop_back();
    if (!is_hashable(id)) refuse_key(value::type_name(tree_, key));
    if (tree_.kind(id) != Kind::kTuple && tree_.kind(id) != Kind::kSet) continue;
    const Nodes parts = tree_.elements(id);
    visited += 1 + parts.size();
    if (visited > kKeyParts)
      fail(ErrorCode::kLimit, fmt::format("a key has more than {} parts; the rest is not read", kKeyParts));
    open.insert(open.end(), parts.begin(), parts.end());
  }
  charge_work(visited);
}

// Of objects, those whose classes say that they cannot be keys.
bool Machine::is_hashable(NodeId key) const {
  const Kind kind = tree_.kind(key);
  if (kind == Kind::kSet || kind == Kind::kBytes) return !mutable_.contains(key);
  if (kind != Kind::kObject) return kind != Kind::kList && kind != Kind::kDict;
  const NodeId callee = tree_.object(key).callee;
  if (tree_.kind(callee) != Kind::kGlobal) return true;
  const std::string_view module = tree_.module(callee), name = tree_.text(callee);
  if (module == "collections")
    return name != "OrderedDict" && name != "defaultdict" && name != "Counter" && name != "deque";
  if (module == "builtins") return name != "set" && name != "bytearray" && name != "list" && name != "dict";
  return true;
}

}  // namespace ckpt::pickle
