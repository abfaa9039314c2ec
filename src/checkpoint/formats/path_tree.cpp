#include "checkpoint/formats/path_tree.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace ckpt::formats {
namespace {

using value::NodeId;

std::string shown(const PathKey& key) {
  if (const auto* text = std::get_if<std::string>(&key)) return quote(abbreviate(*text, 80));
  return std::to_string(std::get<std::int64_t>(key));
}

// "0", "17", "-3": as Python writes an int, so "007" is none.
std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || std::to_string(number) != text)
    return std::nullopt;
  return number;
}

bool is_list(const std::vector<PathKey>& keys) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto* index = std::get_if<std::int64_t>(&keys[i]);
    if (index == nullptr || *index < 0 || static_cast<std::size_t>(*index) >= keys.size()) return false;
  }
  return !keys.empty();  // different, below n, n of them: all
}

bool are_numbers(const std::vector<PathKey>& keys) {
  return std::all_of(keys.begin(), keys.end(), [](const PathKey& key) {
    const auto* text = std::get_if<std::string>(&key);
    return text == nullptr || number_in(*text).has_value();
  });
}

NodeId key_node(const PathKey& key, bool numbers, value::Tree& tree) {
  const auto* text = std::get_if<std::string>(&key);
  if (text == nullptr) return tree.add_int(std::get<std::int64_t>(key));
  return numbers ? tree.add_int(*number_in(*text)) : tree.add_string(*text);
}

NodeId container(const std::vector<PathKey>& keys, const std::vector<NodeId>& nodes, value::Tree& tree) {
  if (is_list(keys)) {
    std::vector<NodeId> elements(nodes.size());
    for (std::size_t i = 0; i < keys.size(); ++i)
      elements[static_cast<std::size_t>(std::get<std::int64_t>(keys[i]))] = nodes[i];
    const NodeId list = tree.add_list();
    tree.append(list, elements);
    return list;
  }
  const bool numbers = are_numbers(keys);
  std::vector<value::Item> items;
  for (std::size_t i = 0; i < keys.size(); ++i) items.push_back({key_node(keys[i], numbers, tree), nodes[i]});
  const NodeId dict = tree.add_dict();
  tree.set_items(dict, items);
  return dict;
}

}  // namespace

void PathTree::add(const std::vector<PathKey>& path, NodeId node, const Limits& limits) {
  if (path.size() > limits.depth)
    fail(ErrorCode::kLimit, fmt::format("a value is nested more than {} levels deep", limits.depth));
  std::size_t branch = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const bool last = i + 1 == path.size();
    const auto [found, added] =
        branches_[branch].positions.try_emplace(path[i], branches_[branch].keys.size());
    if (added) {
      branches_[branch].keys.push_back(path[i]);
      branches_[branch].at.emplace_back(!last, last ? values_.size() : branches_.size());
      if (!last) branches_.emplace_back();
    } else if (last || !branches_[branch].at[found->second].first) {
      fail(ErrorCode::kCorrupt, fmt::format("two values are at one place, {}", shown(path[i])));
    }
    if (!last) branch = branches_[branch].at[branches_[branch].positions.at(path[i])].second;
  }
  values_.push_back(node);
}

NodeId PathTree::build(value::Tree& tree) const {
  std::vector<NodeId> made(branches_.size());
  for (std::size_t i = branches_.size(); i-- > 0;) {
    std::vector<NodeId> nodes;
    for (const auto& [is_branch, index] : branches_[i].at)
      nodes.push_back(is_branch ? made[index] : values_[index]);
    made[i] = container(branches_[i].keys, nodes, tree);
  }
  return made[0];
}

}  // namespace ckpt::formats
