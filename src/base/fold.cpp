#include "base/fold.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <unordered_map>

namespace ckpt {
namespace {

constexpr char kHole = '\x01';
constexpr std::size_t kMostNamesWide = 64;  // characters of "{a, b, c}" before the rest becomes a count

// A label with its numbers removed.
struct Pattern {
  std::string text;  // kHole where a number was
  std::vector<std::uint32_t> numbers;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Whole components only: the 2 of "conv2" is part of a name.
Pattern pattern_of(std::string_view label) {
  if (label.find(kHole) != label.npos) return {std::string(label), {}};  // never folds
  Pattern out;
  for (std::size_t i = 0; i < label.size();) {
    std::size_t end = i;
    while (end < label.size() && is_digit(label[end])) ++end;
    const bool begins = i == 0 || label[i - 1] == '.' || label[i - 1] == '[';
    const bool ends = end == label.size() || label[end] == '.' || label[end] == ']';
    std::uint32_t number = 0;
    const auto parsed = std::from_chars(label.data() + i, label.data() + end, number);
    const bool plain = end - i == 1 || (end > i && label[i] != '0');  // "007" is not a number
    if (end > i && begins && ends && plain && parsed.ec == std::errc{}) {
      out.text += kHole;
      out.numbers.push_back(number);
      i = end;
      continue;
    }
    out.text += label[i];
    ++i;
  }
  return out;
}

std::string spell(const std::vector<std::uint32_t>& numbers) {
  if (numbers.size() == 1) return std::to_string(numbers[0]);
  std::string out = "{";
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (i > 0) out += ',';
    out += std::to_string(numbers[i]);
    if (last > i) out += (last == i + 1 ? "," : "-") + std::to_string(numbers[last]);
    i = last + 1;
  }
  return out + "}";
}

// Items whose numbers are the Cartesian product of these sets.
struct Block {
  std::vector<std::vector<std::uint32_t>> sets;
  std::vector<std::uint32_t> items;  // positions in the group
};

// One block for each combination of numbers.
std::vector<Block> blocks_of(const std::vector<std::uint32_t>& group, const std::vector<Pattern>& patterns) {
  std::map<std::vector<std::uint32_t>, std::size_t> place;
  std::vector<Block> out;
  for (const std::uint32_t i : group) {
    const auto [found, added] = place.try_emplace(patterns[i].numbers, out.size());
    if (added) {
      Block& block = out.emplace_back();
      for (const std::uint32_t n : patterns[i].numbers) block.sets.push_back({n});
    }
    out[found->second].items.push_back(i);
  }
  return out;
}

// Merges blocks that differ in only one position.
std::vector<Block> merge_position(std::vector<Block> blocks, std::size_t position) {
  std::map<std::vector<std::vector<std::uint32_t>>, std::size_t> place;
  std::vector<Block> out;
  for (Block& block : blocks) {
    auto key = block.sets;
    key[position].clear();
    const auto [found, added] = place.try_emplace(std::move(key), out.size());
    if (added) {
      out.push_back(std::move(block));
      continue;
    }
    Block& whole = out[found->second];
    whole.sets[position].insert(whole.sets[position].end(), block.sets[position].begin(),
                                block.sets[position].end());
    whole.items.insert(whole.items.end(), block.items.begin(), block.items.end());
  }
  for (Block& block : out) {
    std::sort(block.sets[position].begin(), block.sets[position].end());
    std::sort(block.items.begin(), block.items.end());
  }
  return out;
}

std::string label_of(const std::string& pattern, const Block& block) {
  std::string out;
  std::size_t hole = 0;
  for (const char c : pattern) {
    if (c == kHole && hole < block.sets.size()) {
      out += spell(block.sets[hole]);
      ++hole;
    } else {
      out += c;
    }
  }
  return out;
}

Fold make_fold(std::string label, const std::vector<FoldItem>& items,
               const std::vector<std::uint32_t>& members) {
  Fold fold;
  fold.label = std::move(label);
  std::uint32_t worst = members.front();
  for (const std::uint32_t m : members) {
    fold.members.push_back(items[m].index);
    if (items[m].weight > items[worst].weight) worst = m;
  }
  fold.worst = items[worst].index;
  fold.weight = items[worst].weight;
  return fold;
}

void sort_by_first(std::vector<std::pair<std::uint32_t, Fold>>& folds) {
  std::sort(folds.begin(), folds.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
}

std::vector<Fold> in_order(std::vector<std::pair<std::uint32_t, Fold>> folds) {
  sort_by_first(folds);
  std::vector<Fold> out;
  out.reserve(folds.size());
  for (auto& [first, fold] : folds) out.push_back(std::move(fold));
  return out;
}

// Groups of item positions, by a key; items that must not be folded have their own.
template <class KeyOf>
std::vector<std::vector<std::uint32_t>> group_by(std::size_t size, KeyOf key_of) {
  std::unordered_map<std::string, std::size_t> place;
  std::vector<std::vector<std::uint32_t>> groups;
  for (std::uint32_t i = 0; i < size; ++i) {
    const auto [found, added] = place.try_emplace(key_of(i), groups.size());
    if (added) groups.emplace_back();
    groups[found->second].push_back(i);
  }
  return groups;
}

// Text and signature as one key, unambiguous for any characters.
std::string joined(std::string_view text, std::string_view signature, std::size_t holes = 0) {
  return std::to_string(text.size()) + ' ' + std::to_string(holes) + ' ' + std::string(text) +
         std::string(signature);
}

// The last dot outside of brackets and quotes.
std::size_t last_dot(std::string_view label) {
  bool quoted = false;
  std::size_t dot = label.npos;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (label[i] == '\\' && quoted)
      ++i;
    else if (label[i] == '"')
      quoted = !quoted;
    else if (!quoted && (label[i] == '[' || label[i] == '{'))
      ++depth;
    else if (!quoted && (label[i] == ']' || label[i] == '}') && depth > 0)
      --depth;
    else if (!quoted && depth == 0 && label[i] == '.')
      dot = i;
  }
  return dot;
}

}  // namespace

std::vector<Fold> fold_numbers(std::vector<FoldItem> items) {
  std::vector<Pattern> patterns;
  patterns.reserve(items.size());
  for (const FoldItem& item : items) patterns.push_back(pattern_of(item.label));
  const auto groups = group_by(items.size(), [&](std::uint32_t i) {
    return joined(patterns[i].text, items[i].signature, patterns[i].numbers.size());
  });
  std::vector<std::pair<std::uint32_t, Fold>> out;
  for (const auto& group : groups) {
    std::vector<Block> blocks = blocks_of(group, patterns);
    const std::size_t holes = patterns[group.front()].numbers.size();
    for (std::size_t position = holes; position-- > 0 && blocks.size() > 1;)
      blocks = merge_position(std::move(blocks), position);
    for (const Block& block : blocks)
      out.emplace_back(block.items.front(),
                       make_fold(label_of(patterns[group.front()].text, block), items, block.items));
  }
  return in_order(std::move(out));
}

std::vector<Fold> fold_siblings(std::vector<FoldItem> items) {
  const auto groups = group_by(items.size(), [&](std::uint32_t i) {
    const std::size_t dot = last_dot(items[i].label);
    if (dot == std::string::npos) return "alone " + std::to_string(i);
    return joined(std::string_view(items[i].label).substr(0, dot), items[i].signature);
  });
  std::vector<std::pair<std::uint32_t, Fold>> out;
  for (const auto& group : groups) {
    const std::string& first = items[group.front()].label;
    std::string label = first;
    if (group.size() > 1) {
      const std::size_t dot = last_dot(first);
      std::string names;
      std::size_t left = group.size();
      for (const std::uint32_t i : group) {
        const std::string name = items[i].label.substr(dot + 1);
        if (!names.empty() && names.size() + name.size() > kMostNamesWide) break;
        names += (names.empty() ? "" : ", ") + name;
        --left;
      }
      if (left > 0) names += ", and " + std::to_string(left) + " more";
      label = first.substr(0, dot) + ".{" + names + "}";
    }
    out.emplace_back(group.front(), make_fold(std::move(label), items, group));
  }
  return in_order(std::move(out));
}

namespace {

// state_dict["layers.0.weight"] -> state_dict and layers.0.weight; a path of identifiers -> up to its first
// dot.
std::pair<std::string_view, std::string_view> split_place(std::string_view place) {
  constexpr std::string_view kOpen = "[\"", kClose = "\"]";
  const std::size_t open = place.find(kOpen);
  if (open != place.npos && place.ends_with(kClose)) {
    const std::string_view name = place.substr(open + kOpen.size());
    return {place.substr(0, open), name.substr(0, name.size() - std::min(name.size(), kClose.size()))};
  }
  const std::size_t dot = open == place.npos ? place.find('.') : place.npos;
  if (dot == place.npos) return {{}, place};
  return {place.substr(0, dot), place.substr(dot + 1)};
}

// How many characters all names share, in whole components.
std::size_t shared_head(const std::vector<std::string_view>& names) {
  if (names.empty()) return 0;
  std::size_t size = names.front().rfind('.') == std::string_view::npos ? 0 : names.front().rfind('.') + 1;
  for (const std::string_view name : names)
    while (size > 0 && name.substr(0, size) != names.front().substr(0, size)) {
      const std::size_t dot = size < 2 ? std::string_view::npos : names.front().rfind('.', size - 2);
      size = dot == std::string_view::npos ? 0 : dot + 1;
    }
  return size;
}

// The module of a name: its first component behind what all share, and the number that follows.
std::string_view module_of(std::string_view name, std::size_t shared) {
  std::size_t end = name.find('.', shared);
  if (end == name.npos) return name;
  const char next = end + 1 < name.size() ? name[end + 1] : '.';
  if (is_digit(next) || next == '{') end = std::min(name.find('.', end + 1), name.size());
  return name.substr(0, end);
}

}  // namespace

std::vector<std::string_view> modules_of_names(const std::vector<std::string>& names) {
  std::vector<std::string_view> out(names.begin(), names.end());
  const std::size_t shared = shared_head(out);
  for (std::string_view& name : out) name = module_of(name, shared);
  return out;
}

Heads fold_heads(const std::vector<std::string>& places, std::size_t most) {
  Heads out;
  if (places.empty()) return out;
  out.common = split_place(places.front()).first;
  const bool shared = std::all_of(places.begin(), places.end(), [&](const std::string& place) {
    return split_place(place).first == out.common;
  });
  if (!shared) out.common.clear();
  std::vector<std::string_view> names;
  for (const std::string& place : places)
    names.push_back(shared ? split_place(place).second : std::string_view(place));
  const std::size_t head = shared_head(names);
  std::map<std::string_view, std::size_t> seen;  // module -> how many of the names
  std::vector<std::string_view> order;
  for (const std::string_view name : names)
    if (++seen[module_of(name, head)] == 1) order.push_back(name);
  for (const std::string_view name : order) {
    if (out.names.size() == most) break;
    const std::string_view module = module_of(name, head);
    out.names.push_back(seen[module] == 1 ? std::string(name) : std::string(module) + ".**");
  }
  out.left = order.size() - out.names.size();
  return out;
}

std::pair<std::string_view, std::string_view> differing_heads(std::string_view a, std::string_view b) {
  const auto ends_with = [](std::string_view whole, std::string_view end) {
    return whole.size() > end.size() + 1 && whole.ends_with(end) &&
           whole[whole.size() - end.size() - 1] == '.';
  };
  while (true) {
    if (ends_with(b, a)) return {std::string_view(), b.substr(0, b.size() - a.size() - 1)};
    if (ends_with(a, b)) return {a.substr(0, a.size() - b.size() - 1), std::string_view()};
    const std::size_t i = a.rfind('.');
    const std::size_t j = b.rfind('.');
    if (i == a.npos || j == b.npos || a.substr(i) != b.substr(j)) return {a, b};
    a = a.substr(0, i);
    b = b.substr(0, j);
  }
}

}  // namespace ckpt
