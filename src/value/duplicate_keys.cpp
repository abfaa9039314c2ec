// Tree::drop_duplicate_keys: Python's notion of equal keys, in bounded time for any choice of keys.
// Keys are sorted by a hash and only equal hashes are compared, so that a flood of collisions costs
// n log n and not n * n; long texts are compared once for the whole tree and numbered from then on.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>

#include <fmt/format.h>

#include "value/tree.h"

namespace ckpt::value {
namespace {

constexpr std::size_t kShortDict = 8;    // items; up to here pairs are compared
constexpr std::size_t kShortText = 256;  // bytes; longer texts are numbered

enum class Group : std::uint8_t { kNone, kInteger, kReal, kDecimal, kString, kBytes, kGlobal, kNumbered };

// Equal for two keys if and only if the keys are equal.
struct Key {
  Group group = Group::kNone;
  std::uint64_t number = 0;
  std::string_view text;

  auto order() const { return std::tie(group, number, text); }
  bool operator==(const Key& other) const { return order() == other.order(); }
  bool operator<(const Key& other) const { return order() < other.order(); }
};

// A bijective mix (the finalizer of splitmix64), so that neighbouring numbers do not sort in runs.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

std::uint64_t hash(const Key& key) {
  const std::uint64_t text = key.text.empty() ? 0 : std::hash<std::string_view>()(key.text);
  return mix(key.number + text + static_cast<std::uint64_t>(key.group) * 0x9e3779b97f4a7c15u);
}

class Keys {
 public:
  explicit Keys(const Tree& tree) : tree_(tree) {}

  // nullopt: equal to no other key (NaN, containers, objects, tensors).
  std::optional<Key> key(NodeId id) {
    switch (tree_.kind(id)) {
      case Kind::kNone: return Key{Group::kNone, 0, {}};
      case Kind::kBool: return Key{Group::kInteger, tree_.boolean(id) ? 1u : 0u, {}};
      case Kind::kInt: return Key{Group::kInteger, static_cast<std::uint64_t>(tree_.integer(id)), {}};
      case Kind::kFloat: return real(id, tree_.real(id));
      case Kind::kBigInt: return text(Group::kDecimal, tree_.text(id));
      case Kind::kString: return text(Group::kString, tree_.text(id));
      case Kind::kBytes: return text(Group::kBytes, tree_.text(id));
      case Kind::kGlobal: return Key{Group::kGlobal, id, {}};  // equal names share one node
      case Kind::kList:
      case Kind::kTuple:
      case Kind::kSet:
      case Kind::kDict:
      case Kind::kObject:
      case Kind::kPersistent:
      case Kind::kTensor:
      case Kind::kStorage: return std::nullopt;
    }
    return std::nullopt;
  }

 private:
  // A float with an integral value equals that integer, however large.
  std::optional<Key> real(NodeId id, double value) {
    if (std::isnan(value)) return std::nullopt;
    if (std::isinf(value) || value != std::floor(value))
      return Key{Group::kReal, std::bit_cast<std::uint64_t>(value), {}};
    if (value >= -0x1p63 && value < 0x1p63)
      return Key{Group::kInteger, static_cast<std::uint64_t>(static_cast<std::int64_t>(value)), {}};
    const auto [digits, added] = decimals_.try_emplace(id);
    if (added) digits->second = fmt::format("{:.0f}", value);
    return text(Group::kDecimal, digits->second);
  }

  Key text(Group group, std::string_view text) {
    if (text.size() <= kShortText) return {group, 0, text};
    const auto [known, added] = numbers_.try_emplace({text.data(), group}, 0);
    if (added) {
      const std::uint64_t next = contents_.size();
      known->second = contents_.try_emplace({group, text.size(), text}, next).first->second;
    }
    return {Group::kNumbered, known->second, {}};
  }

  const Tree& tree_;
  std::map<NodeId, std::string> decimals_;
  std::map<std::pair<const char*, Group>, std::uint64_t> numbers_;                      // by place
  std::map<std::tuple<Group, std::size_t, std::string_view>, std::uint64_t> contents_;  // by content
};

// For each item the index of the first item with an equal key; empty if all keys differ.
using Firsts = std::vector<std::uint32_t>;

Firsts identity(std::size_t size) {
  Firsts firsts(size);
  std::iota(firsts.begin(), firsts.end(), 0u);
  return firsts;
}

Firsts compare_pairs(std::span<const Item> items, Keys& keys) {
  std::array<std::optional<Key>, kShortDict> seen;
  Firsts firsts;
  for (std::size_t i = 0; i < items.size(); ++i) {
    seen[i] = keys.key(items[i].key);
    for (std::size_t j = 0; seen[i] && j < i; ++j) {
      if (!(seen[j] == seen[i])) continue;
      if (firsts.empty()) firsts = identity(items.size());
      firsts[i] = firsts[j];
      break;
    }
  }
  return firsts;
}

struct Hashed {
  std::uint64_t hash = 0;
  std::uint32_t index = 0;
};

// Items with the same hash: by key, then by index, so that equal keys are adjacent, the first one first.
void find_equal(std::span<Hashed> run, std::span<const Item> items, Keys& keys, Firsts& firsts) {
  std::vector<std::pair<Key, std::uint32_t>> sorted;
  for (const Hashed& entry : run) sorted.emplace_back(*keys.key(items[entry.index].key), entry.index);
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (!(sorted[i].first == sorted[i - 1].first)) continue;
    if (firsts.empty()) firsts = identity(items.size());
    firsts[sorted[i].second] = firsts[sorted[i - 1].second];
  }
}

Firsts compare_sorted(std::span<const Item> items, Keys& keys) {
  std::vector<Hashed> entries;
  entries.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i)
    if (const auto key = keys.key(items[i].key))
      entries.push_back({hash(*key), static_cast<std::uint32_t>(i)});
  std::sort(entries.begin(), entries.end(), [](const Hashed& a, const Hashed& b) { return a.hash < b.hash; });
  Firsts firsts;
  for (std::size_t begin = 0, end = 0; begin < entries.size(); begin = end) {
    end = begin + 1;
    while (end < entries.size() && entries[end].hash == entries[begin].hash) ++end;
    if (end - begin > 1) find_equal(std::span(entries).subspan(begin, end - begin), items, keys, firsts);
  }
  return firsts;
}

void merge(std::vector<Item>& items, const Firsts& firsts) {
  for (std::size_t i = 0; i < items.size(); ++i) items[firsts[i]].value = items[i].value;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (firsts[i] != i) continue;
    items[kept] = items[i];
    ++kept;
  }
  items.resize(kept);
}

}  // namespace

std::vector<NodeId> Tree::drop_duplicate_keys() {
  std::vector<NodeId> found;
  Keys keys(*this);
  for (std::size_t id = 0; id < nodes_.size(); ++id) {
    const Node& node = nodes_[id];
    if (node.kind != Kind::kDict || node.index >= dicts_.size()) continue;
    auto& items = dicts_[node.index];
    if (items.size() < 2) continue;
    const Firsts firsts =
        items.size() < kShortDict ? compare_pairs(items, keys) : compare_sorted(items, keys);
    if (firsts.empty()) continue;
    merge(items, firsts);
    found.push_back(static_cast<NodeId>(id));
  }
  return found;
}

}  // namespace ckpt::value
