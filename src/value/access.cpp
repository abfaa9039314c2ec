#include "value/access.h"

#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "value/path.h"
#include "value/walk.h"

namespace ckpt::value {

bool is_kind(const Tree& tree, NodeId id, Kind kind) { return id != kNoNode && tree.kind(id) == kind; }

NodeId member(const Tree& tree, NodeId dict, std::string_view key) {
  for (const auto& item : mapping_items(tree, dict))
    if (is_kind(tree, item.key, Kind::kString) && tree.text(item.key) == key) return item.value;
  return kNoNode;
}

std::span<const Item> mapping_items(const Tree& tree, NodeId id) {
  if (is_kind(tree, id, Kind::kDict)) return tree.items(id);
  if (is_kind(tree, id, Kind::kObject) && is_kind(tree, tree.object(id).items, Kind::kDict))
    return tree.items(tree.object(id).items);
  return {};
}

bool is_mapping(const Tree& tree, NodeId id) {
  return is_kind(tree, id, Kind::kDict) ||
         (is_kind(tree, id, Kind::kObject) && tree.object(id).items != kNoNode);
}

bool is_sequence(const Tree& tree, NodeId id) {
  return is_kind(tree, id, Kind::kList) || is_kind(tree, id, Kind::kTuple);
}

std::span<const NodeId> sequence(const Tree& tree, NodeId id) {
  return is_sequence(tree, id) ? tree.elements(id) : std::span<const NodeId>{};
}

std::optional<double> number_of(const Tree& tree, NodeId id) {
  if (is_kind(tree, id, Kind::kFloat)) return tree.real(id);
  if (is_kind(tree, id, Kind::kInt)) return static_cast<double>(tree.integer(id));
  if (is_kind(tree, id, Kind::kBool)) return tree.boolean(id) ? 1.0 : 0.0;
  if (is_kind(tree, id, Kind::kBigInt)) return std::strtod(std::string(tree.text(id)).c_str(), nullptr);
  return std::nullopt;
}

std::optional<std::int64_t> integer_of(const Tree& tree, NodeId id) {
  if (is_kind(tree, id, Kind::kInt)) return tree.integer(id);
  return std::nullopt;
}

std::optional<std::string_view> string_of(const Tree& tree, NodeId id) {
  if (is_kind(tree, id, Kind::kString)) return tree.text(id);
  return std::nullopt;
}

std::string key_path(std::string path, std::string_view key) {
  append_key(path, key);
  return path;
}

std::string index_path(std::string path, std::uint64_t index) {
  append_index(path, index);
  return path;
}

std::vector<SubValue> values_below(const Tree& tree, NodeId start, std::string_view start_path) {
  std::vector<SubValue> result;
  if (start == kNoNode) return result;
  try {
    walk(tree, start, start_path, Limits{}, [&](const Visit& visit) {
      if (visit.place != Place::kRepeat)
        result.push_back({std::string(visit.path), visit.id, visit.place == Place::kEnter});
      return Next::kInto;
    });
  } catch (const Error&) {
    // More places than the limits allow: the reader has reported that; what was visited is compared.
  }
  return result;
}

bool same_scalar(const Tree& a, NodeId x, const Tree& b, NodeId y) {
  const auto p = number_of(a, x), q = number_of(b, y);
  if (p && q) {
    // Beyond 2^53 doubles round: ints are compared as ints.
    if (a.kind(x) == Kind::kInt && b.kind(y) == Kind::kInt) return a.integer(x) == b.integer(y);
    return *p == *q || (std::isnan(*p) && std::isnan(*q));
  }
  return a.kind(x) == b.kind(y) && repr(a, x, 4096) == repr(b, y, 4096);
}

}  // namespace ckpt::value
