#include "value/tree.h"

#include <bit>
#include <limits>

#include "base/error.h"

namespace ckpt::value {
namespace {

constexpr std::size_t kTextBlock = 64u << 10;
constexpr std::size_t kTupleBlock = 16u << 10;  // slots
constexpr std::uint32_t kNoStore = 0xFFFFFFFF;  // an empty list, set or dict owns no vector

std::uint64_t to_bits(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

const char* to_text(std::uint64_t bits) { return reinterpret_cast<const char*>(bits); }

const NodeId* to_slots(std::uint64_t bits) { return reinterpret_cast<const NodeId*>(bits); }

// Sizes of texts and tuples are 32 bits wide in a node.
std::uint32_t narrow(std::size_t size) {
  if (size > std::numeric_limits<std::uint32_t>::max())
    fail(ErrorCode::kLimit, "a value has more than 4294967295 bytes or elements; it cannot be shown");
  return static_cast<std::uint32_t>(size);
}

// Room for `size` more elements at the end of the last block, or of a new one. Blocks never grow beyond what
// they reserve, so that pointers into them stay valid. Large ones go to the front; the last one is still
// being filled.
template <class T>
std::vector<T>& block_with_room(std::deque<std::vector<T>>& blocks, std::size_t size, std::size_t usual) {
  if (size > usual / 4) {
    blocks.emplace_front().reserve(size);
    return blocks.front();
  }
  if (blocks.empty() || blocks.back().capacity() - blocks.back().size() < size)
    blocks.emplace_back().reserve(usual);
  return blocks.back();
}

}  // namespace

struct Tree::Global {
  std::string_view module;
  std::string_view name;
};

Tree::Tree() = default;
Tree::~Tree() = default;
Tree::Tree(Tree&&) noexcept = default;
Tree& Tree::operator=(Tree&&) noexcept = default;

// --- reading -------------------------------------------------------------------------------------------

double Tree::real(NodeId id) const { return std::bit_cast<double>(nodes_[id].bits); }

std::string_view Tree::text(NodeId id) const {
  const Node& node = nodes_[id];
  if (node.kind == Kind::kGlobal) return globals_[node.index].name;
  const bool has_text = node.kind == Kind::kString || node.kind == Kind::kBytes || node.kind == Kind::kBigInt;
  return has_text ? std::string_view(to_text(node.bits), node.index) : std::string_view();
}

std::string_view Tree::module(NodeId id) const {
  const Node& node = nodes_[id];
  return node.kind == Kind::kGlobal ? globals_[node.index].module : std::string_view();
}

std::string Tree::qualified_name(NodeId id) const {
  std::string name(module(id));
  if (!name.empty()) name += '.';
  return name.append(text(id));
}

std::span<const NodeId> Tree::elements(NodeId id) const {
  const Node& node = nodes_[id];
  if (node.kind == Kind::kTuple) return {to_slots(node.bits), node.index};
  if (node.kind == Kind::kPersistent) return {&node.index, 1};
  if (node.kind != Kind::kList && node.kind != Kind::kSet) return {};
  return node.index == kNoStore ? std::span<const NodeId>() : lists_[node.index];
}

std::span<const Item> Tree::items(NodeId id) const {
  const Node& node = nodes_[id];
  if (node.kind != Kind::kDict || node.index == kNoStore) return {};
  return dicts_[node.index];
}

const ObjectParts& Tree::object(NodeId id) const {
  static const ObjectParts kNoParts;
  return nodes_[id].kind == Kind::kObject ? objects_[nodes_[id].index] : kNoParts;
}

NodeId Tree::origin(NodeId id) const {
  const auto found = origins_.find(id);
  return found == origins_.end() ? kNoNode : found->second;
}

NodeId Tree::state(NodeId id) const {
  const auto found = states_.find(id);
  return found == states_.end() ? kNoNode : found->second;
}

NodeId Tree::get(NodeId dict, std::string_view key) const {
  if (dict >= nodes_.size()) return kNoNode;
  for (const Item& item : items(dict))
    if (kind(item.key) == Kind::kString && text(item.key) == key) return item.value;
  return kNoNode;
}

// --- building ------------------------------------------------------------------------------------------

NodeId Tree::add(Kind kind, std::uint32_t index, std::uint64_t bits) {
  if (nodes_.size() >= kNoNode) fail(ErrorCode::kLimit, "the checkpoint holds more than 4294967294 values");
  nodes_.push_back({kind, index, bits});
  return static_cast<NodeId>(nodes_.size() - 1);
}

std::string_view Tree::store(std::string_view text) {
  if (text.empty()) return {};
  auto& block = block_with_room(text_blocks_, text.size(), kTextBlock);
  const std::size_t start = block.size();
  block.insert(block.end(), text.begin(), text.end());
  return {block.data() + start, text.size()};
}

NodeId Tree::add_none() {
  if (none_ == kNoNode) none_ = add(Kind::kNone, 0, 0);
  return none_;
}

NodeId Tree::add_bool(bool value) {
  NodeId& shared = value ? true_ : false_;
  if (shared == kNoNode) shared = add(Kind::kBool, 0, value ? 1 : 0);
  return shared;
}

NodeId Tree::add_int(std::int64_t value) { return add(Kind::kInt, 0, static_cast<std::uint64_t>(value)); }

NodeId Tree::add_big_int(std::string_view digits) {
  const std::uint32_t size = narrow(digits.size());
  return add(Kind::kBigInt, size, to_bits(store(digits).data()));
}

NodeId Tree::add_float(double value) { return add(Kind::kFloat, 0, std::bit_cast<std::uint64_t>(value)); }

NodeId Tree::add_string(std::string_view text, bool borrowed) {
  const std::uint32_t size = narrow(text.size());
  return add(Kind::kString, size, to_bits((borrowed ? text : store(text)).data()));
}

NodeId Tree::add_bytes(std::string_view text, bool borrowed) {
  const std::uint32_t size = narrow(text.size());
  return add(Kind::kBytes, size, to_bits((borrowed ? text : store(text)).data()));
}

NodeId Tree::add_tuple(std::span<const NodeId> elements) {
  if (elements.empty()) return add(Kind::kTuple, 0, 0);
  const std::uint32_t size = narrow(elements.size());
  auto& block = block_with_room(tuples_blocks_, elements.size(), kTupleBlock);
  const std::size_t start = block.size();
  block.insert(block.end(), elements.begin(), elements.end());
  return add(Kind::kTuple, size, to_bits(block.data() + start));
}

NodeId Tree::add_list() { return add(Kind::kList, kNoStore, 0); }
NodeId Tree::add_set() { return add(Kind::kSet, kNoStore, 0); }
NodeId Tree::add_dict() { return add(Kind::kDict, kNoStore, 0); }

NodeId Tree::add_global(std::string_view module, std::string_view name) {
  const auto known = global_ids_.find({module, name});
  if (known != global_ids_.end()) return known->second;
  const Global global{store(module), store(name)};
  globals_.push_back(global);
  const NodeId id = add(Kind::kGlobal, static_cast<std::uint32_t>(globals_.size() - 1), 0);
  global_ids_.emplace(std::pair(global.module, global.name), id);
  return id;
}

NodeId Tree::add_object(const ObjectParts& parts) {
  objects_.push_back(parts);
  return add(Kind::kObject, static_cast<std::uint32_t>(objects_.size() - 1), 0);
}

NodeId Tree::add_persistent(NodeId id) { return add(Kind::kPersistent, id, 0); }

void Tree::append(NodeId list_or_set, std::span<const NodeId> elements) {
  Node& node = nodes_[list_or_set];
  if (elements.empty() || (node.kind != Kind::kList && node.kind != Kind::kSet)) return;
  if (node.index == kNoStore) {
    node.index = static_cast<std::uint32_t>(lists_.size());
    lists_.emplace_back();
  }
  auto& list = lists_[node.index];
  list.insert(list.end(), elements.begin(), elements.end());
}

void Tree::set_items(NodeId dict, std::span<const Item> items) {
  Node& node = nodes_[dict];
  if (items.empty() || node.kind != Kind::kDict) return;
  if (node.index == kNoStore) {
    node.index = static_cast<std::uint32_t>(dicts_.size());
    dicts_.emplace_back();
  }
  auto& target = dicts_[node.index];
  target.insert(target.end(), items.begin(), items.end());
}

ObjectParts& Tree::mutable_object(NodeId id) {
  if (nodes_[id].kind != Kind::kObject)
    fail(ErrorCode::kCorrupt, "a value was treated as an object, but it is not one");
  return objects_[nodes_[id].index];
}

// --- rewriting -----------------------------------------------------------------------------------------

void Tree::become(NodeId id, Node node, NodeId origin) {
  nodes_[id] = node;
  if (origin != kNoNode) origins_[id] = origin;
}

NodeId Tree::add_tensor(std::uint32_t tensor_index) { return add(Kind::kTensor, tensor_index, 0); }

void Tree::become_tensor(NodeId id, std::uint32_t tensor_index) {
  become(id, {Kind::kTensor, tensor_index, 0}, kNoNode);
}

void Tree::become_storage(NodeId id, std::uint32_t storage_index) {
  become(id, {Kind::kStorage, storage_index, 0}, kNoNode);
}

void Tree::become_copy_of(NodeId id, NodeId other, NodeId origin) { become(id, nodes_[other], origin); }

void Tree::keep_state(NodeId id, NodeId state) { states_[id] = state; }

void Tree::become_string(NodeId id, std::string_view text, NodeId origin) {
  const std::uint32_t size = narrow(text.size());
  become(id, {Kind::kString, size, to_bits(store(text).data())}, origin);
}

void Tree::become_bytes(NodeId id, std::string_view text, NodeId origin) {
  const std::uint32_t size = narrow(text.size());
  become(id, {Kind::kBytes, size, to_bits(store(text).data())}, origin);
}

void Tree::become_int(NodeId id, std::int64_t value, NodeId origin) {
  become(id, {Kind::kInt, 0, static_cast<std::uint64_t>(value)}, origin);
}

void Tree::become_float(NodeId id, double value, NodeId origin) {
  become(id, {Kind::kFloat, 0, std::bit_cast<std::uint64_t>(value)}, origin);
}

void Tree::become_bool(NodeId id, bool value, NodeId origin) {
  become(id, {Kind::kBool, 0, value ? 1u : 0u}, origin);
}

void Tree::keep(std::shared_ptr<const std::vector<std::byte>> block) { kept_.push_back(std::move(block)); }

}  // namespace ckpt::value
