#include "lint/checks/weights/sharing.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <stdexcept>
#include <tuple>

#include "lint/checks/common.h"

namespace ckpt::lint {
namespace {

struct Span {
  std::uint32_t storage = 0;
  std::uint64_t first = 0, last = 0;  // bytes [first, last)
  std::size_t member = 0;             // index into the entries asked about
  bool dense = false;                 // the view uses all of [first, last)
};

std::optional<Span> span_of(const tensor::TensorView& view, std::size_t member) {
  if (!view.has_storage() || !view.in_bounds || view.numel == 0) return std::nullopt;
  const auto extent = tensor::checked_extent(view);
  if (!extent || *extent <= view.storage_offset) return std::nullopt;
  Span span;
  span.storage = view.storage;
  span.first = tensor::bytes_for_elements(view.dtype, view.storage_offset);
  span.last = tensor::bytes_for_elements(view.dtype, *extent);
  span.member = member;
  span.dense = view.numel >= *extent - view.storage_offset;
  return span;
}

// Union-find over members; the root of a group is its smallest member.
struct Groups {
  std::vector<std::size_t> parent;

  explicit Groups(std::size_t size) : parent(size) {
    std::iota(parent.begin(), parent.end(), std::size_t{0});
  }
  std::size_t root(std::size_t member) {
    while (parent[member] != member) member = parent[member] = parent[parent[member]];
    return member;
  }
  void join(std::size_t a, std::size_t b) {
    const auto x = root(a), y = root(b);
    parent[std::max(x, y)] = std::min(x, y);
  }
};

void join_same_views(const Checkpoint& file, std::span<const std::size_t> entries,
                     const std::vector<Span>& spans, Groups& groups) {
  using Key = std::tuple<std::uint32_t, std::uint64_t, std::vector<std::int64_t>, std::vector<std::int64_t>>;
  std::map<Key, std::size_t> first;
  for (const auto& span : spans) {
    const auto& view = file.record_of(file.entries[entries[span.member]]).view;
    const auto [place, added] =
        first.emplace(Key{view.storage, view.storage_offset, view.shape, view.strides}, span.member);
    if (!added) groups.join(place->second, span.member);
  }
}

void join_overlaps(std::vector<Span> spans, Groups& groups) {
  std::erase_if(spans, [](const Span& span) { return !span.dense; });
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
    return std::tie(a.storage, a.first, a.member) < std::tie(b.storage, b.first, b.member);
  });
  for (std::size_t i = 1, reach = 0; i < spans.size(); ++i) {  // reach: the span that ends last so far
    if (spans[i].storage != spans[reach].storage || spans[i].first >= spans[reach].last)
      reach = i;
    else {
      groups.join(spans[reach].member, spans[i].member);
      if (spans[i].last > spans[reach].last) reach = i;
    }
  }
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

}  // namespace

bool same_view(const tensor::TensorView& a, const tensor::TensorView& b) {
  return a.has_storage() && a.storage == b.storage && a.storage_offset == b.storage_offset &&
         a.shape == b.shape && a.strides == b.strides;
}

std::vector<SharedGroup> shared_groups(const Checkpoint& file, std::span<const std::size_t> entries) {
  const auto view_of = [&](std::size_t entry) -> const tensor::TensorView& {
    return file.record_of(file.entries[entry]).view;
  };
  std::vector<Span> spans;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (const auto span = span_of(view_of(entries[i]), i)) spans.push_back(*span);
  Groups groups(entries.size());
  join_same_views(file, entries, spans, groups);
  join_overlaps(spans, groups);
  std::map<std::size_t, SharedGroup> by_root;
  for (const auto& span : spans) by_root[groups.root(span.member)].entries.push_back(entries[span.member]);
  std::vector<SharedGroup> result;
  for (auto& [root, group] : by_root) {
    if (group.entries.size() < 2) continue;
    for (const auto entry : group.entries)
      group.same = group.same && same_view(view_of(entry), view_of(group.entries.front()));
    result.push_back(std::move(group));
  }
  return result;
}

std::vector<std::string> parse_tie(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('=', at), text.size());
    names.push_back(trimmed(text.substr(at, end - at)));
    at = end + 1;
  }
  const bool empty =
      std::any_of(names.begin(), names.end(), [](const std::string& name) { return name.empty(); });
  if (names.size() < 2 || empty)
    throw std::invalid_argument("'" + std::string(text) +
                                "' is not a tie: write \"lm_head.weight = encoder.embed.weight\"");
  return names;
}

std::vector<std::vector<std::string>> ties_of(const Rule& rule, std::string_view param) {
  std::vector<std::vector<std::string>> ties;
  for (const auto& text : rule.strings(param)) ties.push_back(parse_tie(text));
  return ties;
}

std::map<std::string, std::size_t> weights_by_name(const Checkpoint& file, const training::Items& items) {
  std::map<std::string, std::size_t> result;
  for (std::size_t i = 0; i < file.entries.size(); ++i) {
    const auto name = training::weight_name(items, file.entries[i].path);
    if (name && !file.entries[i].part) result.emplace(unwrapped_name(*name), i);
  }
  return result;
}

}  // namespace ckpt::lint
