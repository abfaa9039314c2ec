#include "diff/modules.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

namespace ckpt::diff {
namespace {

constexpr std::size_t kMostParts = 32;  // of a name: no module is nested deeper, and names are untrusted

// Where the modules on the way to a weight end in its name: "a.b.0.weight" -> 1, 3, 5.
std::vector<std::size_t> module_ends(std::string_view name) {
  std::vector<std::size_t> ends;
  for (std::size_t dot = name.find('.'); dot != name.npos && ends.size() < kMostParts;
       dot = name.find('.', dot + 1))
    ends.push_back(dot);
  return ends;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

class Grouping {
 public:
  explicit Grouping(std::span<const NamedSize> names) : names_(names) {
    for (const NamedSize& item : names) ends_.push_back(module_ends(item.name));
    find_shared();
    for (std::size_t i = 0; i < names.size(); ++i)
      if (const std::size_t list = list_at(i); list < ends_[i].size())
        for (std::size_t k = shared_; k < list; ++k) opened_.insert(head(i, k));
  }

  std::string_view module_of(std::size_t i) const {
    const std::size_t list = list_at(i);
    if (list < ends_[i].size()) return head(i, list);
    for (std::size_t k = shared_; k < ends_[i].size(); ++k)
      if (!opened_.contains(head(i, k))) return head(i, k);
    return names_[i].name;
  }

 private:
  std::string_view head(std::size_t i, std::size_t k) const { return names_[i].name.substr(0, ends_[i][k]); }

  // How many modules all names go through.
  void find_shared() {
    if (names_.empty()) return;
    shared_ = ends_[0].size();
    for (std::size_t i = 1; i < names_.size(); ++i) {
      shared_ = std::min(shared_, ends_[i].size());
      while (shared_ > 0 && head(i, shared_ - 1) != head(0, shared_ - 1)) --shared_;
    }
  }

  // The first module that is an element of a list.
  std::size_t list_at(std::size_t i) const {
    for (std::size_t k = shared_; k < ends_[i].size(); ++k) {
      const std::size_t begin = k == 0 ? 0 : ends_[i][k - 1] + 1;
      if (is_number(names_[i].name.substr(begin, ends_[i][k] - begin))) return k;
    }
    return ends_[i].size();
  }

  std::span<const NamedSize> names_;
  std::vector<std::vector<std::size_t>> ends_;
  std::size_t shared_ = 0;
  std::unordered_set<std::string_view> opened_;  // modules that have a list in them
};

std::vector<ModuleGroup> fold_smallest(std::vector<ModuleGroup> groups) {
  if (groups.size() <= kMostModules) return groups;
  std::vector<std::size_t> order(groups.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return groups[a].elements > groups[b].elements; });
  std::vector<bool> kept(groups.size());
  for (std::size_t i = 0; i + 1 < kMostModules; ++i) kept[order[i]] = true;
  std::vector<ModuleGroup> out;
  ModuleGroup other;
  other.name = "other";
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (kept[i]) {
      out.push_back(std::move(groups[i]));
      continue;
    }
    other.elements += groups[i].elements;
    other.members.insert(other.members.end(), groups[i].members.begin(), groups[i].members.end());
  }
  out.push_back(std::move(other));
  return out;
}

}  // namespace

std::vector<ModuleGroup> group_by_module(std::span<const NamedSize> names) {
  const Grouping grouping(names);
  std::vector<ModuleGroup> groups;
  std::unordered_map<std::string_view, std::size_t> at;
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    const std::string_view module = grouping.module_of(i);
    const auto [found, added] = at.try_emplace(module, groups.size());
    if (added) groups.emplace_back().name = module;
    ModuleGroup& group = groups[found->second];
    group.members.push_back(i);
    group.elements += names[i].elements;
  }
  return fold_smallest(std::move(groups));
}

}  // namespace ckpt::diff
