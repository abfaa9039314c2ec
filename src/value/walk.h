// Visits every place below a node, in document order, without recursion. Shared parts are visited once
// per place (a list under two keys has two paths), opaque objects only the first time, a container that
// contains itself is not entered again; all of it within Limits::paths and Limits::depth. In a tree that
// is_entered_once(), every part that was visited before is a kRepeat.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "value/tree.h"

namespace ckpt::value {

enum class Place {
  kLeaf,    // a scalar, an empty container, a tensor or a storage
  kEnter,   // a non-empty container or object: its parts follow
  kRepeat,  // an object visited before, or a container on the current path (a cycle)
};

struct Visit {
  NodeId id;
  Place place;
  std::string_view path;  // valid during the call only
  NodeId parent;          // kNoNode at the root
  std::size_t depth;
};

enum class Next { kInto, kSkip };  // what to do with a kEnter

// Throws Error{kLimit} beyond the limits; what was visited stays visited.
// Objects are entered as attributes (a dict state: .name), items, appended elements, then .<args>.
// `parts` lists further named parts below a node (a sparse tensor's <indices>); may be empty.
using Parts = std::function<std::vector<std::pair<std::string, NodeId>>(NodeId)>;
void walk(const Tree& tree, NodeId start, std::string_view start_path, const Limits& limits,
          const std::function<Next(const Visit&)>& visit, const Parts& parts = {});

}  // namespace ckpt::value
