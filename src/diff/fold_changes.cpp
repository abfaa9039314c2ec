#include "diff/fold_changes.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/natural.h"
#include "base/text.h"
#include "diff/describe_change.h"
#include "diff/labels.h"

namespace ckpt::diff {
namespace {

using report::Cell;
using report::Line;
using report::Mark;
using report::Style;

Mark mark_of(ChangeKind kind) {
  if (kind == ChangeKind::kAdded) return Mark::kAdded;
  return kind == ChangeKind::kRemoved ? Mark::kRemoved : Mark::kChanged;
}

// How bad a change of elements is: a fold shows its worst member, and worse changes come first.
double weight_of(const Change& change, SortBy sort) {
  if (!change.delta) return 0;
  const tensor::Delta& d = *change.delta;
  if (!d.decoded) return 0;
  if (d.nan_new + d.inf_new > d.nan_old + d.inf_old) return HUGE_VAL;
  return sort == SortBy::kMaxAbs ? d.max_abs : d.rel_l2;
}

// |new - old| squared, over the pairs of finite elements.
double squared_difference(const Change& change) {
  if (!change.delta || !change.delta->decoded) return 0;
  const tensor::Delta& d = *change.delta;
  const double norm = d.l2_old > 0 ? d.rel_l2 * d.l2_old : d.l2_new;
  return std::isfinite(norm) ? norm * norm : 0;
}

double squared_difference(const Diff& diff, const Fold& fold) {
  double sum = 0;
  for (const std::uint32_t i : fold.members) sum += squared_difference(diff.changes[i]);
  return sum;
}

std::string rename_label(const Change& change) {
  const auto [old_head, new_head] = differing_heads(change.old_name, change.name);
  const auto spell = [](std::string_view head) {
    return head.empty() ? std::string("*") : std::string(head) + ".*";
  };
  if (old_head == change.old_name) return fmt::format("{} -> {}", change.old_name, change.name);
  return fmt::format("{} -> {}", spell(old_head), spell(new_head));
}

bool is_one_sided(const Change& change) {
  return change.kind == ChangeKind::kAdded || change.kind == ChangeKind::kRemoved;
}

// State of a named parameter that only one file has.
bool is_lost_state(const Change& change) {
  return change.part == Part::kOptimizers && !change.name.empty() && is_one_sided(change);
}

bool folds_siblings(const Change& change) {
  const bool plain = change.old_slot.kind != SlotKind::kTensor && change.new_slot.kind != SlotKind::kTensor;
  if (!plain && !change.numbers && !is_lost_state(change)) return false;
  return change.part != Part::kWeights && change.part != Part::kHyperParameters &&
         change.part != Part::kDataModuleHyperParameters && change.part != Part::kImports &&
         change.part != Part::kMeta;
}

FoldItem fold_item(const Diff& diff, std::uint32_t index, SortBy sort) {
  const Change& change = diff.changes[index];
  FoldItem item;
  item.index = index;
  item.label = change.part == Part::kKeys && change.kind == ChangeKind::kRenamed
                   ? rename_label(change)
                   : folding_label(diff, change);
  item.signature = signature_of(diff, change);
  item.weight = weight_of(change, sort);
  return item;
}

// "identical bytes, like its siblings"
std::string rename_reasons(const Diff& diff, const Fold& fold) {
  std::set<std::string_view> seen;
  std::string text;
  for (const std::uint32_t i : fold.members) {
    const std::string& reason = diff.changes[i].detail->text;
    if (seen.insert(reason).second) text += (text.empty() ? "" : ", ") + one_line(reason);
  }
  return text;
}

// "61 %" of the change of all weights.
Cell share_cell(double share) {
  Cell cell;
  if (share > 0) cell.text = share < 0.005 ? "<1 %" : fmt::format("{:.0f} %", 100 * share);
  cell.right = true;
  cell.style = Style::kDim;
  cell.drop = 1;
  return cell;
}

Cell plain_cell(std::string text) {
  Cell cell;
  cell.text = std::move(text);
  return cell;
}

// "encoder.0.weight, encoder.0.bias", or their number.
std::string parameters_of(const Diff& diff, const Fold& fold) {
  constexpr std::size_t kMostNames = 3;
  std::set<std::string_view> seen;
  std::string text;
  for (const std::uint32_t i : fold.members) {
    const std::string_view name = diff.changes[i].name;
    if (seen.insert(name).second && seen.size() <= kMostNames)
      text += (text.empty() ? "" : ", ") + one_line(name);
  }
  return seen.size() <= kMostNames ? text : plural(seen.size(), "parameter");
}

// "batches, optimizer steps"
std::string counters_of(const Diff& diff, const Fold& fold) {
  std::set<std::string_view> seen;
  std::string text;
  for (const std::uint32_t i : fold.members)
    if (const std::string_view what = counted_by(diff.changes[i].path);
        !what.empty() && seen.insert(what).second)
      text += (text.empty() ? "" : ", ") + std::string(what);
  return text;
}

Cell dim_cell(std::string text) {
  Cell cell;
  cell.text = std::move(text);
  cell.style = Style::kDim;
  cell.drop = 5;
  return cell;
}

}  // namespace

std::vector<Fold> fold_group(const Diff& diff, const Group& group, const ReportOptions& options) {
  std::vector<FoldItem> items;
  items.reserve(group.size());
  for (const std::uint32_t i : group) items.push_back(fold_item(diff, i, options.sort));
  if (options.all) {
    std::vector<Fold> out;
    for (FoldItem& item : items)
      out.push_back({label_of(diff, diff.changes[item.index]), {item.index}, item.index, item.weight});
    return out;
  }
  std::vector<Fold> by_number = fold_numbers(std::move(items));
  std::vector<FoldItem> again;
  for (std::uint32_t i = 0; i < by_number.size(); ++i) {
    const Change& first = diff.changes[by_number[i].members.front()];
    std::string signature = std::to_string(by_number[i].members.size()) + signature_of(diff, first);
    if (!folds_siblings(first)) signature += std::to_string(i);
    if (is_one_sided(first) && folds_siblings(first)) signature = std::string(to_string(first.kind));
    again.push_back({by_number[i].label, std::move(signature), by_number[i].weight, i});
  }
  std::vector<Fold> out;
  for (Fold& whole : fold_siblings(std::move(again))) {
    Fold fold{std::move(whole.label), {}, by_number[whole.worst].worst, whole.weight};
    for (const std::uint32_t i : whole.members)
      fold.members.insert(fold.members.end(), by_number[i].members.begin(), by_number[i].members.end());
    if (fold.members.size() == 1 && diff.changes[fold.worst].part != Part::kKeys)
      fold.label = label_of(diff, diff.changes[fold.worst]);
    out.push_back(std::move(fold));
  }
  return out;
}

void sort_folds(const Diff& diff, SortBy sort, std::vector<Fold>& folds) {
  const auto rank = [&](const Fold& fold) {
    return diff.changes[fold.worst].kind == ChangeKind::kValues ? 1 : 0;
  };
  struct Ranked {
    Fold fold;
    double squares = 0;
  };
  std::vector<Ranked> ranked;
  double total = 0;
  for (Fold& fold : folds) {
    const double squares = squared_difference(diff, fold);
    total += squares;
    ranked.push_back({std::move(fold), squares});
  }
  std::stable_sort(ranked.begin(), ranked.end(), [&](const Ranked& a, const Ranked& b) {
    if (rank(a.fold) != rank(b.fold)) return rank(a.fold) < rank(b.fold);
    if (sort == SortBy::kName) return natural_less(a.fold.label, b.fold.label);
    const bool bad = a.fold.weight == HUGE_VAL, worse = b.fold.weight == HUGE_VAL;
    if (sort == SortBy::kChange && bad == worse) return a.squares > b.squares;
    return a.fold.weight > b.fold.weight;
  });
  for (std::size_t i = 0; i < folds.size(); ++i) {
    folds[i] = std::move(ranked[i].fold);
    folds[i].weight = total > 0 ? ranked[i].squares / total : 0;
  }
}

Line fold_line(const Diff& diff, const Fold& fold, const LineLook& look) {
  const Change& worst = diff.changes[fold.worst];
  Line line;
  line.mark = mark_of(worst.kind);
  Cell label;
  label.text = one_line(without_folders(fold.label));
  label.elide = true;
  line.cells.push_back(std::move(label));
  Cell count;
  if (fold.members.size() > 1) count.text = fmt::format("x{}", fold.members.size());
  count.style = Style::kStrong;
  line.cells.push_back(std::move(count));
  if (look.share) line.cells.push_back(share_cell(worst.kind == ChangeKind::kValues ? fold.weight : 0));
  const bool same = std::all_of(fold.members.begin(), fold.members.end(), [&](std::uint32_t i) {
    return signature_of(diff, diff.changes[i]) == signature_of(diff, worst);
  });
  if (is_lost_state(worst) && fold.members.size() > 1) {
    line.cells.push_back(plain_cell("of " + parameters_of(diff, fold)));
    return line;
  }
  if (!same) return line;
  if (worst.kind == ChangeKind::kRenamed && worst.part == Part::kKeys) {
    line.cells.push_back(plain_cell(rename_reasons(diff, fold)));
    return line;
  }
  for (Cell& cell : describe_change(diff, worst, look.digits)) line.cells.push_back(std::move(cell));
  if (fold.members.size() < 2) return line;
  if (worst.delta && !worst.numbers)
    line.cells.push_back(dim_cell("worst: " + one_line(label_of(diff, worst))));
  if (worst.part == Part::kLoops)
    if (std::string what = counters_of(diff, fold); !what.empty())
      line.cells.push_back(dim_cell(std::move(what)));
  return line;
}

}  // namespace ckpt::diff
