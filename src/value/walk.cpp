#include "value/walk.h"

#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "value/path.h"

namespace ckpt::value {
namespace {

// The cost of a place: 1 with a usual path, more with a longer one.
constexpr std::size_t kUsualPath = 256;
constexpr std::size_t kPathBytesPerPlace = 32;
constexpr std::size_t kLongText = 256;

enum class Spelling {
  kKeys,        // the items of a dict, as keys
  kAttributes,  // the items of a dict, as attributes of the object whose state it is
  kIndexes,     // the elements of a list, tuple or set
  kPart,        // the node itself, under the label
};

// Children of one node that are spelled the same way. `label`, if there is one, precedes them: <args>.
struct Segment {
  Spelling spelling = Spelling::kPart;
  NodeId source = kNoNode;
  std::string label;
};

// A node that was entered: its segments lie on the segment stack, its path is a prefix of the current one.
struct Frame {
  NodeId id = kNoNode;
  std::size_t path_size = 0;
  std::size_t first_segment = 0;
  std::size_t segment = 0;
  std::size_t next = 0;  // step within the segment; a dict has two per item: the key, then the value
};

bool is_dict(const Tree& tree, NodeId id) { return id != kNoNode && tree.kind(id) == Kind::kDict; }

// Has nothing below it.
bool is_scalar(Kind kind) {
  switch (kind) {
    case Kind::kNone:
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kBigInt:
    case Kind::kFloat:
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kGlobal: return true;
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kSet:
    case Kind::kDict:
    case Kind::kObject:
    case Kind::kPersistent:
    case Kind::kTensor:
    case Kind::kStorage: return false;
  }
  return true;
}

// Keys that may hold a tensor are places of their own.
bool is_key_visited(const Tree& tree, NodeId key) {
  const Kind kind = tree.kind(key);
  if (is_scalar(kind)) return false;
  if (kind != Kind::kTuple) return true;
  for (const NodeId element : tree.elements(key))
    if (!is_scalar(tree.kind(element))) return true;
  return false;
}

class Walker {
 public:
  Walker(const Tree& tree, const Limits& limits, const std::function<Next(const Visit&)>& visit,
         const Parts& parts, std::string_view start_path)
      : tree_(tree), limits_(limits), visit_(visit), parts_(parts), path_(start_path) {}

  void run(NodeId start) {
    if (start == kNoNode) return;
    reach(start, kNoNode);
    while (!frames_.empty()) {
      path_.resize(frames_.back().path_size);
      if (!step()) leave();
    }
  }

 private:
  // Reports a node at the current path and enters it if it has parts.
  void reach(NodeId id, NodeId parent) {
    charge();
    const std::size_t first_segment = segments_.size();
    const Place place = classify(id);
    const Next next = visit_({id, place, path_, parent, frames_.size()});
    if (place != Place::kEnter) return;
    if (tree_.kind(id) == Kind::kObject || tree_.is_entered_once()) seen_.insert(id);
    if (next == Next::kSkip) {
      segments_.resize(first_segment);
      return;
    }
    if (frames_.size() >= limits_.depth) {
      fail(ErrorCode::kLimit,
           fmt::format("values are nested deeper than {} levels at {}; anything deeper is not read",
                       limits_.depth, one_line(abbreviate(display_path(path_), 200))));
    }
    on_path_.insert(id);
    frames_.push_back({id, path_.size(), first_segment, first_segment, 0});
  }

  void leave() {
    on_path_.erase(frames_.back().id);
    segments_.resize(frames_.back().first_segment);
    frames_.pop_back();
  }

  // A long path costs as much as many places, because callers that collect paths copy them.
  void charge() {
    places_ += 1 + (path_.size() > kUsualPath ? (path_.size() - kUsualPath) / kPathBytesPerPlace : 0);
    if (places_ > limits_.paths) {
      fail(ErrorCode::kLimit,
           fmt::format("more than {} places are reached through shared values; the rest is not read",
                       limits_.paths));
    }
  }

  Place classify(NodeId id) {
    const Kind kind = tree_.kind(id);
    if (is_scalar(kind)) return is_seen_text(id) ? Place::kRepeat : Place::kLeaf;
    if (on_path_.contains(id)) return Place::kRepeat;
    if ((kind == Kind::kObject || tree_.is_entered_once()) && seen_.contains(id)) return Place::kRepeat;
    const std::size_t before = segments_.size();
    add_segments(id, kind);
    if (parts_)
      for (auto& [name, node] : parts_(id)) add({Spelling::kPart, node, std::move(name)});
    return kind == Kind::kObject || segments_.size() > before ? Place::kEnter : Place::kLeaf;
  }

  bool is_seen_text(NodeId id) {
    if (!tree_.is_entered_once()) return false;
    const Kind kind = tree_.kind(id);
    const bool text = kind == Kind::kString || kind == Kind::kBytes || kind == Kind::kBigInt;
    return text && tree_.text(id).size() >= kLongText && !seen_.insert(id).second;
  }

  void add(Segment segment) {
    if (segment.source != kNoNode) segments_.push_back(std::move(segment));
  }

  void add_segments(NodeId id, Kind kind) {
    if (kind == Kind::kObject) return add_object_segments(tree_.object(id));
    if (kind == Kind::kPersistent) return add({Spelling::kPart, tree_.elements(id)[0], "id"});
    if (!tree_.items(id).empty()) add({Spelling::kKeys, id, {}});
    if (!tree_.elements(id).empty()) add({Spelling::kIndexes, id, {}});
  }

  void add_object_segments(const ObjectParts& parts) {
    add_state(parts.state);
    add({Spelling::kKeys, parts.items, {}});
    add({Spelling::kIndexes, parts.appended, {}});
    if (parts.args != kNoNode) {
      const bool tuple = tree_.kind(parts.args) == Kind::kTuple;
      add({tuple ? Spelling::kIndexes : Spelling::kPart, parts.args, "args"});
    }
    add({is_dict(tree_, parts.kwargs) ? Spelling::kKeys : Spelling::kPart, parts.kwargs, "kwargs"});
    if (parts.callee != kNoNode && tree_.kind(parts.callee) != Kind::kGlobal)
      add({Spelling::kPart, parts.callee, "callee"});
  }

  // A dict, or the pair (dict or None, dict of slots) that copyreg makes of an object with __slots__.
  void add_state(NodeId state) {
    if (is_dict(tree_, state)) return add({Spelling::kAttributes, state, {}});
    if (state != kNoNode && tree_.kind(state) == Kind::kTuple) {
      const auto pair = tree_.elements(state);
      if (pair.size() == 2 && (is_dict(tree_, pair[0]) || tree_.kind(pair[0]) == Kind::kNone) &&
          is_dict(tree_, pair[1])) {
        if (is_dict(tree_, pair[0])) add({Spelling::kAttributes, pair[0], {}});
        return add({Spelling::kAttributes, pair[1], {}});
      }
    }
    add({Spelling::kPart, state, "state"});
  }

  // Visits the next child of the innermost frame; false if there is none.
  bool step() {
    for (;;) {
      Frame& frame = frames_.back();
      if (frame.segment == segments_.size()) return false;
      const Segment& segment = segments_[frame.segment];
      const std::size_t at = frame.next;
      ++frame.next;
      if (at >= steps(segment)) {
        ++frame.segment;
        frame.next = 0;
      } else if (take(segment, at, frame.id)) {
        return true;
      }
    }
  }

  std::size_t steps(const Segment& segment) const {
    switch (segment.spelling) {
      case Spelling::kPart: return 1;
      case Spelling::kIndexes: return tree_.elements(segment.source).size();
      case Spelling::kKeys:
      case Spelling::kAttributes: return 2 * tree_.items(segment.source).size();
    }
    return 0;
  }

  // False if there is nothing to visit at this step. `segment` may move once reach() was called.
  bool take(const Segment& segment, std::size_t at, NodeId parent) {
    switch (segment.spelling) {
      case Spelling::kPart:
        append_part(path_, segment.label);
        reach(segment.source, parent);
        return true;
      case Spelling::kIndexes:
        label(segment);
        append_index(path_, at);
        reach(tree_.elements(segment.source)[at], parent);
        return true;
      case Spelling::kKeys:
      case Spelling::kAttributes: return take_item(segment, at, parent);
    }
    return false;
  }

  void label(const Segment& segment) {
    if (!segment.label.empty()) append_part(path_, segment.label);
  }

  bool take_item(const Segment& segment, std::size_t at, NodeId parent) {
    const Item& item = tree_.items(segment.source)[at / 2];
    const bool is_key = at % 2 == 0;
    if (is_key && !is_key_visited(tree_, item.key)) return false;
    label(segment);
    if (segment.spelling == Spelling::kAttributes && tree_.kind(item.key) == Kind::kString)
      append_attribute(path_, tree_.text(item.key));
    else
      append_key(path_, tree_, item.key);
    if (is_key) append_part(path_, "key");
    reach(is_key ? item.key : item.value, parent);
    return true;
  }

  const Tree& tree_;
  const Limits& limits_;
  const std::function<Next(const Visit&)>& visit_;
  const Parts& parts_;
  std::string path_;
  std::vector<Frame> frames_;
  std::vector<Segment> segments_;
  std::unordered_set<NodeId> on_path_;
  std::unordered_set<NodeId> seen_;
  std::uint64_t places_ = 0;
};

}  // namespace

void walk(const Tree& tree, NodeId start, std::string_view start_path, const Limits& limits,
          const std::function<Next(const Visit&)>& visit, const Parts& parts) {
  Walker(tree, limits, visit, parts, start_path).run(start);
}

}  // namespace ckpt::value
