// A nested object from values with paths, as torch.distributed.checkpoint and others flatten it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "value/tree.h"

namespace ckpt::formats {

using PathKey = std::variant<std::string, std::int64_t>;

class PathTree {
 public:
  // Throws kCorrupt if a value is both at the path and at a beginning of it, or two are at one path; kLimit
  // if the path is longer than limits.depth. Requires: the path is not empty.
  void add(const std::vector<PathKey>& path, value::NodeId node, const Limits& limits);

  // Dicts, and lists where the keys are 0 to n - 1. DCP writes every key of a dict as text: where all keys
  // are numbers in text, they were numbers (an optimizer's state by parameter).
  value::NodeId build(value::Tree& tree) const;

 private:
  struct Branch {
    std::vector<PathKey> keys;                     // in the order of their first value
    std::map<PathKey, std::size_t> positions;      // in keys
    std::vector<std::pair<bool, std::size_t>> at;  // by position: a branch (true) or a value, and which
  };

  std::vector<Branch> branches_ = std::vector<Branch>(1);  // a branch comes before those in it
  std::vector<value::NodeId> values_;
};

}  // namespace ckpt::formats
