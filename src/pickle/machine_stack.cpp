#include "pickle/machine_stack.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace ckpt::pickle {
namespace {

constexpr std::uint64_t kNearReserve = 1024;  // indexes that are always near
constexpr std::uint64_t kNearFactor = 4;      // indexes per entry that are near

}  // namespace

std::span<const value::NodeId> Stack::last(std::size_t count) const {
  const std::size_t reachable = values_.size() - fence();
  if (count > reachable)
    fail(ErrorCode::kCorrupt, fmt::format("expected {} on the stack, found {}; the pickle is damaged",
                                          plural(count, "value"), reachable));
  return std::span(values_).last(count);
}

value::NodeId Stack::pop() {
  const NodeId id = top();
  values_.pop_back();
  return id;
}

void Stack::pop_value_or_mark() {
  if (!marks_.empty() && marks_.back() == values_.size())
    marks_.pop_back();
  else
    pop();
}

std::size_t Stack::last_mark() const {
  if (marks_.empty()) fail(ErrorCode::kCorrupt, "expected a MARK on the stack; the pickle is damaged");
  return marks_.back();
}

std::span<const value::NodeId> Stack::above_mark() const { return std::span(values_).subspan(last_mark()); }

value::NodeId Stack::below_mark() const {
  const std::size_t mark = last_mark();
  const std::size_t fence = marks_.size() > 1 ? marks_[marks_.size() - 2] : 0;
  if (mark <= fence) fail(ErrorCode::kCorrupt, "expected a container below the MARK; the pickle is damaged");
  return values_[mark - 1];
}

void Stack::drop_mark() {
  values_.resize(last_mark());
  marks_.pop_back();
}

void Memo::put(std::uint64_t index, NodeId id) {
  if (get(index) == value::kNoNode) ++count_;
  if (index < kNearReserve + kNearFactor * count_) {
    if (index >= near_.size()) near_.resize(index + 1, value::kNoNode);
    near_[index] = id;  // hides an entry of far_ from the time when the index was far
  } else {
    far_[index] = id;
  }
}

value::NodeId Memo::get(std::uint64_t index) const {
  if (index < near_.size() && near_[index] != value::kNoNode) return near_[index];
  const auto found = far_.find(index);
  return found == far_.end() ? value::kNoNode : found->second;
}

}  // namespace ckpt::pickle
