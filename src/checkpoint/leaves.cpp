#include "checkpoint/leaves.h"

#include <map>
#include <set>

#include "value/path.h"
#include "value/walk.h"

namespace ckpt {
namespace {

using value::Kind;
using value::kNoNode;
using value::Next;
using value::NodeId;
using value::Place;
using value::Tree;
using value::Visit;

value::Parts tensor_parts(const Checkpoint& checkpoint) {
  return [&checkpoint](NodeId node) -> std::vector<std::pair<std::string, NodeId>> {
    if (checkpoint.tree.kind(node) != Kind::kTensor) return {};
    return checkpoint.tensor_records[checkpoint.tree.payload(node)].parts;
  };
}

bool is_scalar(const Tree& tree, NodeId node) {
  switch (tree.kind(node)) {
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
  return false;
}

// A call of a known name with a few scalars, and nothing done to it afterwards: Decimal("1.5"), date(..).
bool is_plain_call(const Tree& tree, NodeId node) {
  const value::ObjectParts& object = tree.object(node);
  if (object.state != kNoNode || object.items != kNoNode || object.appended != kNoNode ||
      object.kwargs != kNoNode)
    return false;
  if (object.callee == kNoNode || tree.kind(object.callee) != Kind::kGlobal) return false;
  if (object.args == kNoNode) return true;
  for (const NodeId arg : tree.elements(object.args)) {
    const bool inner_call = tree.kind(arg) == Kind::kObject && tree.object(arg).state == kNoNode &&
                            tree.object(arg).items == kNoNode && tree.object(arg).appended == kNoNode;
    if (!is_scalar(tree, arg) && !inner_call) return false;
  }
  return true;
}

constexpr std::size_t kMostOfACode = 20;

// Whether a path shows an escape other than \" and \\: of a control character, or of one that cannot be seen.
bool has_escape(std::string_view path) {
  for (std::size_t at = path.find('\\'); at != path.npos; at = path.find('\\', at + 2))
    if (at + 1 < path.size() && path[at + 1] != '"' && path[at + 1] != '\\') return true;
  return false;
}

// What only the walk sees: names with invisible characters.
void look_at(Checkpoint& out, const Visit& v, std::size_t& unprintable) {
  if (out.tree.kind(v.id) == Kind::kTensor && has_escape(v.path)) {
    ++unprintable;
    if (unprintable <= kMostOfACode)
      out.defects.push_back(
          {"name-unprintable", std::string(v.path), "the name has control or invisible characters", {}});
  }
}

}  // namespace

namespace {

// A second walk, for the few files with an object in two places.
void find_first_places(const Checkpoint& checkpoint, const Limits& limits, std::vector<Leaf>& leaves) {
  std::map<NodeId, std::string> first;
  for (const Leaf& leaf : leaves)
    if (leaf.repeat) first.emplace(leaf.node, std::string());
  if (first.empty()) return;
  std::set<NodeId> seen;
  const auto visit = [&](const Visit& v) {
    const auto found = first.find(v.id);
    if (found != first.end() && seen.insert(v.id).second) found->second = v.path;
    return v.place == Place::kRepeat ? Next::kSkip : Next::kInto;
  };
  value::walk(checkpoint.tree, checkpoint.tree.root(), "", limits, visit, tensor_parts(checkpoint));
  for (Leaf& leaf : leaves)
    if (leaf.repeat) leaf.first = first[leaf.node];
}

}  // namespace

std::vector<Leaf> collect_leaves(const Checkpoint& checkpoint, const Limits& limits) {
  const Tree& tree = checkpoint.tree;
  std::vector<Leaf> leaves;
  if (tree.root() == kNoNode) return leaves;
  const auto visit = [&](const Visit& v) {
    const Kind kind = tree.kind(v.id);
    if (v.place == Place::kRepeat) {
      if (kind != Kind::kTensor) leaves.push_back({std::string(v.path), v.id, true});
      return Next::kSkip;
    }
    if (v.place == Place::kEnter && kind == Kind::kObject && is_plain_call(tree, v.id)) {
      leaves.push_back({std::string(v.path), v.id, false});
      return Next::kSkip;
    }
    if (v.place == Place::kLeaf && kind != Kind::kTensor)
      leaves.push_back({std::string(v.path), v.id, false});
    return Next::kInto;
  };
  try {
    value::walk(tree, tree.root(), "", limits, visit, tensor_parts(checkpoint));
    find_first_places(checkpoint, limits, leaves);
  } catch (const Error&) {
    // open_checkpoint has walked the same tree with the same limits, and reported it
  }
  return leaves;
}

std::string leaf_repr(const Checkpoint& checkpoint, const Leaf& leaf, std::size_t limit) {
  if (leaf.repeat) return "(shown above)";
  return value::repr(checkpoint.tree, leaf.node, limit);
}

std::string leaf_type(const Checkpoint& checkpoint, const Leaf& leaf) {
  return leaf.repeat ? "reference" : value::type_name(checkpoint.tree, leaf.node);
}

PlainValue plain_value(const value::Tree& tree, const Leaf& leaf) {
  using value::Kind;
  constexpr std::size_t kLimit = 4096;  // of a repr: JSON is for programs, but not for a whole data set
  if (leaf.repeat) return std::monostate{};
  switch (tree.kind(leaf.node)) {
    case Kind::kNone: return std::monostate{};
    case Kind::kBool: return tree.boolean(leaf.node);
    case Kind::kInt: return tree.integer(leaf.node);
    case Kind::kFloat: return tree.real(leaf.node);
    case Kind::kString:
    case Kind::kBigInt: return std::string(tree.text(leaf.node));
    case Kind::kBytes:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kSet:
    case Kind::kDict:
    case Kind::kGlobal:
    case Kind::kObject:
    case Kind::kPersistent:
    case Kind::kTensor:
    case Kind::kStorage: return value::repr(tree, leaf.node, kLimit);
  }
  return std::monostate{};
}

void collect_entries(Checkpoint& out, const Limits& limits) {
  std::multimap<std::uint32_t, Defect*> pending;
  for (auto& [record, defect] : out.record_defects) pending.emplace(record, &defect);
  out.entries.reserve(out.tensor_records.size());
  std::size_t unprintable = 0;
  const auto visit = [&](const Visit& v) {
    look_at(out, v, unprintable);
    if (out.tree.kind(v.id) != Kind::kTensor) return v.place == Place::kRepeat ? Next::kSkip : Next::kInto;
    const std::uint32_t record = out.tree.payload(v.id);
    const bool part = v.parent != kNoNode && out.tree.kind(v.parent) == Kind::kTensor;
    out.entries.push_back({std::string(v.path), record, part});
    const auto [first, last] = pending.equal_range(record);
    for (auto it = first; it != last; ++it) {
      it->second->path = v.path;
      out.defects.push_back(std::move(*it->second));
    }
    pending.erase(first, last);
    return Next::kInto;
  };
  value::walk(out.tree, out.tree.root(), "", limits, visit, tensor_parts(out));
  for (const auto& [record, defect] :
       pending)  // a tensor that nothing refers to: popped, or a base of another
    if (defect->code != "tensor-no-storage") out.defects.push_back(std::move(*defect));
  out.record_defects.clear();
}

}  // namespace ckpt
