#include "diff/unmoved.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "base/fold.h"
#include "base/text.h"

namespace ckpt::diff {
namespace {

using report::Cell;
using report::Line;
using report::Style;

constexpr std::size_t kMostWeights = 50'000;  // more are no modules that people look through
constexpr std::size_t kMostLines = 4;

struct Counts {
  std::size_t all = 0, same = 0;
};
using Modules = std::map<std::string_view, Counts>;  // by name, up to a dot or to its end

// Every module that a name is in, the outermost first, and the name itself.
template <class Visit>
void for_each_module(std::string_view name, Visit visit) {
  for (std::size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1))
    if (visit(name.substr(0, dot))) return;
  visit(name);
}

std::vector<std::pair<std::string_view, bool>> weights_of(const Diff& diff, std::uint32_t input) {
  std::unordered_set<std::string_view> moved;
  for (const Change& change : diff.changes)
    if (change.input == input) moved.insert(change.path);
  for (const NotCompared& item : diff.not_compared)
    if (item.input == input) moved.insert(item.path);
  std::vector<std::pair<std::string_view, bool>> weights;
  for (const Place& place : diff.sides[input].places)
    if (place.key.space == Space::kWeight && place.slot.kind == SlotKind::kTensor)
      weights.emplace_back(place.name, !moved.contains(place.path));
  return weights;
}

Line line_of(const Fold& fold, std::size_t tensors) {
  Line line;
  line.mark = report::Mark::kSame;
  Cell label, count, text;
  label.text = one_line(fold.label);
  label.elide = true;
  label.style = Style::kDim;
  if (tensors > 1) count.text = fmt::format("x{}", tensors);
  count.style = Style::kDim;
  text.text = "identical";
  text.style = Style::kDim;
  line.cells = {std::move(label), std::move(count), std::move(text)};
  return line;
}

// The outermost modules of which every weight is the same, each once, with how many weights it has.
// A module of one weight is that weight.
std::vector<std::pair<std::string_view, std::size_t>> same_modules(
    const std::vector<std::pair<std::string_view, bool>>& weights, const Modules& modules) {
  std::map<std::string_view, std::size_t> found;
  for (const auto& weight : weights) {
    const std::string_view name = weight.first;
    if (!weight.second) continue;
    for_each_module(name, [&](std::string_view module) {
      const Counts& counts = modules.at(module);
      if (counts.same != counts.all) return false;
      found.emplace(counts.all == 1 ? name : module, counts.all);
      return true;
    });
  }
  return {found.begin(), found.end()};
}

}  // namespace

std::vector<Line> unmoved_lines(const Diff& diff, std::uint32_t input) {
  const auto weights = weights_of(diff, input);
  if (weights.size() > kMostWeights) return {};
  Modules modules;
  std::size_t same_weights = 0;
  for (const auto& weight : weights) {
    same_weights += weight.second ? 1u : 0u;
    for_each_module(weight.first, [&](std::string_view module) {
      Counts& counts = modules[module];
      ++counts.all;
      counts.same += weight.second ? 1u : 0u;
      return false;
    });
  }
  if (same_weights == 0 || same_weights == weights.size()) return {};
  const auto same = same_modules(weights, modules);
  std::unordered_set<std::string_view> names;
  for (const auto& weight : weights) names.insert(weight.first);
  std::vector<FoldItem> items;
  for (std::uint32_t i = 0; i < same.size(); ++i) {
    const bool is_weight = names.contains(same[i].first);
    items.push_back({std::string(same[i].first) + (is_weight ? "" : ".**"), "", 0, i});
  }
  std::vector<std::pair<std::size_t, Line>> lines;
  for (const Fold& fold : fold_numbers(std::move(items))) {
    std::size_t tensors = 0;
    for (const std::uint32_t i : fold.members) tensors += same[i].second;
    lines.emplace_back(tensors, line_of(fold, tensors));
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Line> out;
  std::size_t left = 0;
  for (auto& [tensors, line] : lines) {
    if (out.size() < kMostLines)
      out.push_back(std::move(line));
    else
      left += tensors;
  }
  if (left > 0) out.push_back(line_of({fmt::format("{} elsewhere", plural(left, "tensor")), {}, 0, 0}, 1));
  return out;
}

}  // namespace ckpt::diff
