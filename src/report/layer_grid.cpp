#include "report/layer_grid.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

namespace ckpt::report {
namespace {

constexpr std::string_view kOthers = "(others)";
constexpr std::size_t kMostDigits = 9;  // of a layer's number

std::optional<std::uint64_t> number_of(std::string_view part) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
  if (part.empty() || part.size() > kMostDigits || error != std::errc{} || end != part.data() + part.size())
    return std::nullopt;
  return number;
}

// Calls use(stem, part, end) for every part between dots that is a number: "model.layers", "3", and where it
// ends.
template <class Use>
void for_each_number(std::string_view name, const Use& use) {
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    if (number_of(part) && use(name.substr(0, begin), part, end)) return;
    begin = end + 1;
  }
}

struct Place {
  std::string_view stem;                // "model.layers." or, without a number, "lm_head"
  std::optional<std::uint64_t> number;  // 3
  std::string_view role;                // "attn.q.weight"
};

// Stems that are followed by more than one number.
class Stems {
 public:
  explicit Stems(std::span<const GridItem> items) {
    for (const GridItem& item : items)
      for_each_number(item.name, [&](std::string_view stem, std::string_view number, std::size_t end) {
        if (end == item.name.size()) return false;
        auto& seen = seen_.try_emplace(stem, number, false).first->second;
        seen.second = seen.second || seen.first != number;
        return false;
      });
  }

  Place place(std::string_view name) const {
    Place place;
    for_each_number(name, [&](std::string_view stem, std::string_view number, std::size_t end) {
      const auto found = seen_.find(stem);
      if (end == name.size() || found == seen_.end() || !found->second.second) return false;
      place = {stem, number_of(number), name.substr(end + 1)};
      return true;
    });
    if (place.number) return place;
    const std::size_t dot = name.rfind('.');
    if (dot == name.npos) return {"", std::nullopt, name};
    return {name.substr(0, dot), std::nullopt, name.substr(dot + 1)};
  }

 private:
  std::unordered_map<std::string_view, std::pair<std::string_view, bool>> seen_;
};

// Numbers the distinct keys in the order of their first use.
template <class Key>
class Order {
 public:
  std::size_t index(const Key& key) {
    const auto [at, added] = indexes_.try_emplace(key, keys_.size());
    if (added) keys_.push_back(key);
    return at->second;
  }
  const std::vector<Key>& keys() const { return keys_; }

 private:
  std::map<Key, std::size_t> indexes_;
  std::vector<Key> keys_;
};

using Row = std::pair<std::string_view, std::optional<std::uint64_t>>;

// Which of many go into a grid of `limit`: result[i] is the new index of i, and labels are the new names.
struct Reduced {
  std::vector<std::size_t> index;
  std::vector<std::string> labels;
};

// Keeps those with the largest counts; the others become the last one.
Reduced keep_largest(const std::vector<std::string>& labels, const std::vector<std::uint64_t>& counts,
                     std::size_t limit) {
  Reduced out;
  out.index.resize(labels.size());
  if (labels.size() <= limit) {
    std::iota(out.index.begin(), out.index.end(), std::size_t{0});
    out.labels = labels;
    return out;
  }
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  std::vector<bool> kept(labels.size());
  for (std::size_t i = 0; i + 1 < limit; ++i) kept[order[i]] = true;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    out.index[i] = kept[i] ? out.labels.size() : limit - 1;
    if (kept[i]) out.labels.push_back(labels[i]);
  }
  out.labels.emplace_back(kOthers);
  return out;
}

std::string row_label(const Row& first, const Row& last) {
  if (!first.second) return first.first.empty() ? "(top)" : std::string(first.first);
  if (first.second == last.second) return fmt::format("{}{}", first.first, *first.second);
  return fmt::format("{}{{{}-{}}}", first.first, *first.second, *last.second);
}

// Neighbouring layers of one stem, `together` at a time.
Reduced merge_layers(const std::vector<Row>& rows, std::size_t together) {
  struct Open {
    std::size_t index = 0;
    std::size_t members = 0;
    Row first;
  };
  Reduced out;
  std::map<std::string_view, Open> open;
  for (const Row& row : rows) {
    const auto found = row.second ? open.find(row.first) : open.end();
    if (found == open.end() || found->second.members == together) {
      if (row.second) open[row.first] = {out.labels.size(), 1, row};
      out.index.push_back(out.labels.size());
      out.labels.push_back(row_label(row, row));
      continue;
    }
    ++found->second.members;
    out.index.push_back(found->second.index);
    out.labels[found->second.index] = row_label(found->second.first, row);
  }
  return out;
}

// Rows of the grid: all of them, or every 2, 4, 8 ... layers as one, then the others together.
Reduced reduce_rows(const std::vector<Row>& rows, const std::vector<std::uint64_t>& counts) {
  Reduced out = merge_layers(rows, 1);
  for (std::size_t together = 2; out.labels.size() > kGridRows && together / 2 < rows.size(); together *= 2)
    out = merge_layers(rows, together);
  std::vector<std::uint64_t> sums(out.labels.size());
  for (std::size_t i = 0; i < rows.size(); ++i) sums[out.index[i]] += counts[i];
  const Reduced largest = keep_largest(out.labels, sums, kGridRows);
  for (std::size_t& index : out.index) index = largest.index[index];
  out.labels = largest.labels;
  return out;
}

// "experts.12.w1.weight" -> "experts.*.w1.weight".
std::string without_numbers(std::string_view role) {
  std::string out;
  std::size_t begin = 0;
  for_each_number(role, [&](std::string_view stem, std::string_view, std::size_t end) {
    out += role.substr(begin, stem.size() - begin);
    out += '*';
    begin = end;
    return false;
  });
  return out + std::string(role.substr(begin));
}

Reduced reduce_roles(const std::vector<std::string_view>& roles, const std::vector<std::uint64_t>& counts) {
  const bool many = roles.size() > kGridColumns;
  Order<std::string> names;
  Reduced out;
  for (const std::string_view role : roles)
    out.index.push_back(names.index(many ? without_numbers(role) : std::string(role)));
  std::vector<std::uint64_t> sums(names.keys().size());
  for (std::size_t i = 0; i < roles.size(); ++i) sums[out.index[i]] += counts[i];
  const Reduced largest = keep_largest(names.keys(), sums, kGridColumns);
  for (std::size_t& index : out.index) index = largest.index[index];
  out.labels = largest.labels;
  return out;
}

struct Sums {
  double numerator = 0, denominator = 0;
  bool used = false, nonfinite = false;
};

HeatCell cell_of(const Sums& sums) {
  HeatCell cell;
  cell.nonfinite = sums.nonfinite;
  if (!sums.used) return cell;
  cell.value = sums.numerator == 0     ? 0
               : sums.denominator == 0 ? std::numeric_limits<double>::infinity()
                                       : std::sqrt(sums.numerator / sums.denominator);
  return cell;
}

}  // namespace

HeatMap layer_grid(std::span<const GridItem> items) {
  const Stems stems(items);
  Order<Row> rows;
  Order<std::string_view> roles;
  std::vector<std::pair<std::size_t, std::size_t>> at;
  at.reserve(items.size());
  for (const GridItem& item : items) {
    const Place place = stems.place(item.name);
    at.emplace_back(rows.index({place.stem, place.number}), roles.index(place.role));
  }
  std::vector<std::uint64_t> row_counts(rows.keys().size());
  std::vector<std::uint64_t> role_counts(roles.keys().size());
  for (const auto& [row, role] : at) {
    ++row_counts[row];
    ++role_counts[role];
  }
  const Reduced down = reduce_rows(rows.keys(), row_counts);
  const Reduced across = reduce_roles(roles.keys(), role_counts);

  std::vector<Sums> sums(down.labels.size() * across.labels.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    Sums& cell = sums[down.index[at[i].first] * across.labels.size() + across.index[at[i].second]];
    cell.used = true;
    cell.nonfinite = cell.nonfinite || items[i].nonfinite;
    cell.numerator += items[i].numerator;
    cell.denominator += items[i].denominator;
  }
  HeatMap map;
  map.rows = down.labels;
  map.columns = across.labels;
  std::transform(sums.begin(), sums.end(), std::back_inserter(map.cells), cell_of);
  return map;
}

}  // namespace ckpt::report
