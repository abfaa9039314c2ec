// The stack of the pickle machine with its marks, and its memo. Private to pickle. Their errors name neither
// opcode nor offset: the machine adds both.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "value/tree.h"

namespace ckpt::pickle {

// Values below the last mark are out of reach, as in CPython (Modules/_pickle.c, the fence of Pdata).
class Stack {
 public:
  using NodeId = value::NodeId;

  void push(NodeId id) { values_.push_back(id); }
  void mark() { marks_.push_back(values_.size()); }

  // The last `count` values; valid until the stack changes. Throws kCorrupt if there are fewer.
  std::span<const NodeId> last(std::size_t count) const;
  NodeId top() const { return last(1)[0]; }
  void drop(std::size_t count) { values_.resize(values_.size() - last(count).size()); }
  NodeId pop();
  // POP: a mark if that is on top, else a value.
  void pop_value_or_mark();

  // The values above the last mark, and the value just below it. Both throw kCorrupt if there is none.
  std::span<const NodeId> above_mark() const;
  NodeId below_mark() const;
  // Removes the last mark and everything above it.
  void drop_mark();

  // Values and marks: what the stack costs.
  std::size_t size() const { return values_.size() + marks_.size(); }

 private:
  std::size_t fence() const { return marks_.empty() ? 0 : marks_.back(); }
  std::size_t last_mark() const;

  std::vector<NodeId> values_;
  std::vector<std::size_t> marks_;
};

// Indexes are the input's: those near the number of entries lie in a vector, far ones in a map, so that an
// index of 2^31 costs one entry and not 8 GB (CVE-2018-20406). An ordered map: no choice of indexes is slow.
class Memo {
 public:
  using NodeId = value::NodeId;

  void put(std::uint64_t index, NodeId id);
  NodeId get(std::uint64_t index) const;  // kNoNode if nothing was put there
  std::uint64_t count() const { return count_; }
  // What the memo costs, in container slots of 4 bytes.
  std::uint64_t slots() const { return near_.size() + 16 * far_.size(); }

 private:
  std::vector<NodeId> near_;
  std::map<std::uint64_t, NodeId> far_;
  std::uint64_t count_ = 0;
};

}  // namespace ckpt::pickle
