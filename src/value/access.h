// Careful access to a tree of any shape: each function answers "not there" (kNoNode, an
// empty span, nullopt) for a node that is missing or of another kind. Nothing throws, nothing recurses.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "value/tree.h"

namespace ckpt::value {

// kNoNode if `dict` is not a dict or has no such key.
NodeId member(const Tree& tree, NodeId dict, std::string_view key);
// Items of a dict, or of an object that was filled like one (a subclass of dict).
std::span<const Item> mapping_items(const Tree& tree, NodeId id);
bool is_mapping(const Tree& tree, NodeId id);
// Elements of a list or tuple; empty for everything else.
std::span<const NodeId> sequence(const Tree& tree, NodeId id);
bool is_sequence(const Tree& tree, NodeId id);
bool is_kind(const Tree& tree, NodeId id, Kind kind);  // false for kNoNode

// int, float, bool and big ints as Python compares them; nullopt for everything else (None, tensors, text).
std::optional<double> number_of(const Tree& tree, NodeId id);
std::optional<std::int64_t> integer_of(const Tree& tree, NodeId id);
std::optional<std::string_view> string_of(const Tree& tree, NodeId id);

// A path one step further down.
std::string key_path(std::string path, std::string_view key);
std::string index_path(std::string path, std::uint64_t index);

// Every value below `start` with its path relative to it (start_path "").
struct SubValue {
  std::string path;
  NodeId id = kNoNode;
  bool container = false;  // a non-empty container or object, its parts follow
};
std::vector<SubValue> values_below(const Tree& tree, NodeId start, std::string_view start_path);

// Equality of scalars as Python's ==: numbers as numbers, everything else by kind and text.
bool same_scalar(const Tree& a, NodeId x, const Tree& b, NodeId y);

}  // namespace ckpt::value
