#include "diff/match.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "training/keys.h"
#include "training/sections.h"
#include "value/path.h"

namespace ckpt::diff {
namespace {

using training::Section;

constexpr std::string_view kCallbacks = training::keys::kCallbacks;

// The end of the first component of `rest`: ["..."], [<class ...>], .name
std::size_t component_end(std::string_view rest) {
  if (rest.starts_with("[\"")) {
    std::size_t close = 2;
    while (close < rest.size() && rest[close] != '"') close += rest[close] == '\\' ? 2u : 1u;
    return std::min(close + 2, rest.size());
  }
  if (rest.starts_with('[')) return std::min(rest.find(']'), rest.size() - 1) + 1;
  return std::min(rest.find_first_of(".[", 1), rest.size());
}

// The roots of the callbacks, in document order.
std::vector<CallbackPath> callbacks_of(const Side& side) {
  std::vector<CallbackPath> out;
  std::unordered_set<std::string_view> seen;
  for (const Place& place : side.places) {
    if (place.key.space != Space::kPath) continue;
    const auto callback = parse_callback_path(place.key.text);
    if (callback && seen.insert(callback->root).second) out.push_back(*callback);
  }
  return out;
}

void move_keys(Side& side, std::string_view from, std::string_view to) {
  for (Place& place : side.places)
    if (place.key.space == Space::kPath && is_below(place.key.text, from))
      place.key.text = side.keep(std::string(to) + std::string(place.key.text.substr(from.size())));
}

void match_callbacks(const Side& base, Side& side, std::vector<KeyMatch>& out) {
  std::map<std::string_view, std::pair<std::vector<CallbackPath>, std::vector<CallbackPath>>> by_class;
  const auto old_list = callbacks_of(base);
  const auto new_list = callbacks_of(side);
  const auto roots = [](const std::vector<CallbackPath>& list) {
    std::unordered_set<std::string_view> out_roots;
    for (const CallbackPath& c : list) out_roots.insert(c.root);
    return out_roots;
  };
  const auto old_roots = roots(old_list);
  const auto new_roots = roots(new_list);
  for (const CallbackPath& c : old_list)
    if (!new_roots.contains(c.root)) by_class[c.class_name].first.push_back(c);
  for (const CallbackPath& c : new_list)
    if (!old_roots.contains(c.root)) by_class[c.class_name].second.push_back(c);
  std::unordered_map<std::string_view, std::string_view> moves;
  for (const auto& [name, lists] : by_class) {
    if (lists.first.size() != 1 || lists.second.size() != 1) continue;
    const CallbackPath& a = lists.first[0];
    const CallbackPath& b = lists.second[0];
    out.push_back({Section::kCallbacks, a.root, b.root, a.by_class != b.by_class});
    moves.emplace(b.root, a.root);
  }
  for (Place& place : side.places) {
    const auto callback =
        place.key.space == Space::kPath ? parse_callback_path(place.key.text) : std::nullopt;
    const auto found = callback ? moves.find(callback->root) : moves.end();
    if (found == moves.end()) continue;
    place.key.text =
        side.keep(std::string(found->second) + std::string(place.key.text.substr(callback->root.size())));
  }
}

void match_root(Section section, const std::string& old_key, const std::string& new_key, Side& side,
                std::vector<KeyMatch>& out) {
  if (old_key.empty() || new_key.empty() || old_key == new_key) return;
  std::string from;
  std::string to;
  value::append_key(to, old_key);
  value::append_key(from, new_key);
  const std::string_view old_path = side.keep(to);
  const std::string_view new_path = side.keep(from);
  move_keys(side, new_path, old_path);
  out.push_back({section, old_path, new_path, false});
}

}  // namespace

std::optional<CallbackPath> parse_callback_path(std::string_view path) {
  if (!path.starts_with(kCallbacks) || !is_below(path, kCallbacks) || path.size() == kCallbacks.size())
    return std::nullopt;
  const std::string_view rest = path.substr(kCallbacks.size());
  CallbackPath out;
  const std::size_t end = component_end(rest);
  out.root = path.substr(0, kCallbacks.size() + end);
  std::string_view key = rest.substr(0, end);
  out.by_class = key.starts_with("[<class ");
  if (out.by_class) {
    key = key.substr(0, key.find('>'));
    out.class_name = key.substr(key.find_last_of(". ") + 1);
    return out;
  }
  key.remove_prefix(key.starts_with("[\"") ? 2 : 1);
  out.class_name = training::callback_class(key.substr(0, key.find_first_of("\"]")));
  return out;
}

std::vector<KeyMatch> match_keys(const Side& base, Side& side) {
  std::vector<KeyMatch> out;
  match_callbacks(base, side, out);
  match_root(Section::kPrecision, base.items().precision_key, side.items().precision_key, side, out);
  match_root(Section::kDataModule, base.items().datamodule_key, side.items().datamodule_key, side, out);
  return out;
}

void collect_crowded_callbacks(const Side& side, std::set<std::string_view>& out) {
  std::set<std::string_view> once;
  for (const CallbackPath& callback : callbacks_of(side))
    if (!once.insert(callback.class_name).second) out.insert(callback.class_name);
}

}  // namespace ckpt::diff
