// The value tree of a checkpoint: an arena of 16-byte nodes named by ids. Ids never own anything, so
// the graph may share and even contain itself, and nothing here recurses: a 2 MB pickle of a million
// nested lists must not crash any walk or the destructor.
//
// Built by one machine (pickle/machine), refined by one format (checkpoint/formats), then const and
// readable from any thread. Text lives in blocks owned by the tree; string_views stay valid with it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ckpt::value {

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = 0xFFFFFFFF;

enum class Kind : std::uint8_t {
  kNone,
  kBool,
  kInt,     // fits std::int64_t
  kBigInt,  // text(): decimal digits with sign, or "0x..." where it has more than 4300 digits
  kFloat,
  kString,  // text(): UTF-8, lone surrogates possible as three-byte sequences (surrogatepass)
  kBytes,   // text(): the raw bytes
  kList,
  kTuple,
  kSet,
  kDict,        // any node may be a key; in insertion order, duplicate keys as in Python (last value wins)
  kGlobal,      // a name that a pickle imports: never resolved
  kObject,      // a call or instance: callee, args, kwargs, state, items, appended values
  kPersistent,  // an unresolved persistent id; children: the id itself
  kTensor,      // payload: index into Checkpoint::tensor_records()
  kStorage,     // payload: index into Checkpoint::storages()
};

struct Item {
  NodeId key = kNoNode;
  NodeId value = kNoNode;
};

// The result of REDUCE, NEWOBJ, BUILD, ... Nothing was called.
struct ObjectParts {
  NodeId callee = kNoNode;    // usually a kGlobal; may be any node (a bound method is an object itself)
  NodeId args = kNoNode;      // a tuple, or whatever node was there
  NodeId kwargs = kNoNode;    // NEWOBJ_EX only
  NodeId state = kNoNode;     // the argument of BUILD; kNoNode if there was none
  NodeId items = kNoNode;     // a kDict: SETITEM(S) applied to the object
  NodeId appended = kNoNode;  // a kList: APPEND(S) and ADDITEMS applied to the object
  bool instance = false;      // NEWOBJ, NEWOBJ_EX, OBJ, INST rather than REDUCE
};

class Tree {
 public:
  Tree();
  ~Tree();
  Tree(Tree&&) noexcept;
  Tree& operator=(Tree&&) noexcept;

  // --- reading -------------------------------------------------------------------------------------
  NodeId root() const { return root_; }
  std::size_t size() const { return nodes_.size(); }
  Kind kind(NodeId id) const { return nodes_[id].kind; }
  bool boolean(NodeId id) const { return nodes_[id].bits != 0; }
  std::int64_t integer(NodeId id) const { return static_cast<std::int64_t>(nodes_[id].bits); }
  double real(NodeId id) const;
  // kString, kBytes, kBigInt: the text. kGlobal: the name.
  std::string_view text(NodeId id) const;
  // kGlobal only: the module, as the stream spelled it after Python 2's names were mapped.
  std::string_view module(NodeId id) const;
  // "module.name" of a kGlobal.
  std::string qualified_name(NodeId id) const;
  // kList, kTuple, kSet: the elements. kPersistent: the id. Others: empty.
  std::span<const NodeId> elements(NodeId id) const;
  // kDict: the items. Others: empty.
  std::span<const Item> items(NodeId id) const;
  // kObject only.
  const ObjectParts& object(NodeId id) const;
  std::uint32_t payload(NodeId id) const { return nodes_[id].index; }  // kTensor, kStorage
  // The class or function of a node that a format rewrote from an object into plain data
  // (AttributeDict -> kDict, PosixPath -> kString ...): a kGlobal node, or kNoNode.
  NodeId origin(NodeId id) const;
  // What BUILD gave to a node that a format rewrote from an object into plain data without it: the
  // {"_metadata": ..} of a state_dict. kNoNode for all others; an object has its own in object(id).state.
  NodeId state(NodeId id) const;

  // Walks enter every container once, and reach every long text once: see value/expansion.h.
  bool is_entered_once() const { return entered_once_; }

  // The value of a string key in a dict, or kNoNode. Linear: for the few keys of known structure.
  NodeId get(NodeId dict, std::string_view key) const;

  // --- building (not thread-safe) --------------------------------------------------------------------
  NodeId add_none();  // None, True and False are one shared node each
  NodeId add_bool(bool value);
  NodeId add_int(std::int64_t value);
  NodeId add_big_int(std::string_view digits);
  NodeId add_float(double value);
  NodeId add_string(std::string_view text, bool borrowed = false);  // borrowed: bytes of a kept block
  NodeId add_bytes(std::string_view text, bool borrowed = false);
  NodeId add_tuple(std::span<const NodeId> elements);
  NodeId add_list();
  NodeId add_set();
  NodeId add_dict();
  NodeId add_global(std::string_view module, std::string_view name);  // equal names share one node
  NodeId add_object(const ObjectParts& parts);
  NodeId add_persistent(NodeId id);
  NodeId add_tensor(std::uint32_t tensor_index);

  void append(NodeId list_or_set, std::span<const NodeId> elements);
  void set_items(NodeId dict, std::span<const Item> items);  // appended; see drop_duplicate_keys
  ObjectParts& mutable_object(NodeId id);
  void set_root(NodeId id) { root_ = id; }
  void enter_once() { entered_once_ = true; }

  // In-place rewriting by a format: the node keeps its identity, every reference sees the new content.
  void become_tensor(NodeId id, std::uint32_t tensor_index);
  void become_storage(NodeId id, std::uint32_t storage_index);
  void become_copy_of(NodeId id, NodeId other, NodeId origin);  // same kind and content as `other`
  void keep_state(NodeId id, NodeId state);
  void become_string(NodeId id, std::string_view text, NodeId origin);
  void become_bytes(NodeId id, std::string_view text, NodeId origin);
  void become_int(NodeId id, std::int64_t value, NodeId origin);
  void become_float(NodeId id, double value, NodeId origin);
  void become_bool(NodeId id, bool value, NodeId origin);

  // Python's dict: of equal keys the first key and the last value stay (1 == True == 1.0; NaN is never
  // equal; tuples, objects and tensors count as different). Returns the dicts that had duplicates.
  std::vector<NodeId> drop_duplicate_keys();

  // Keeps a block of bytes alive that borrowed text points into (data.pkl itself).
  void keep(std::shared_ptr<const std::vector<std::byte>> block);

 private:
  struct Node {
    Kind kind = Kind::kNone;
    std::uint32_t index = 0;  // length of text, or index into lists_/dicts_/objects_/globals_/tuples
    std::uint64_t bits = 0;   // the number, or the pointer to text, or the first slot of a tuple
  };
  struct Global;

  NodeId add(Kind kind, std::uint32_t index, std::uint64_t bits);
  std::string_view store(std::string_view text);
  void become(NodeId id, Node node, NodeId origin);

  NodeId root_ = kNoNode;
  bool entered_once_ = false;
  NodeId none_ = kNoNode, true_ = kNoNode, false_ = kNoNode;
  std::deque<Node> nodes_;                         // a deque grows without copying
  std::deque<std::vector<NodeId>> tuples_blocks_;  // tuple slots, in blocks that never move
  std::vector<std::vector<NodeId>> lists_;         // kList, kSet
  std::vector<std::vector<Item>> dicts_;
  std::deque<ObjectParts> objects_;
  std::vector<Global> globals_;
  std::map<std::pair<std::string_view, std::string_view>, NodeId> global_ids_;
  std::map<NodeId, NodeId> origins_, states_;
  std::deque<std::vector<char>> text_blocks_;
  std::vector<std::shared_ptr<const std::vector<std::byte>>> kept_;
};

}  // namespace ckpt::value
