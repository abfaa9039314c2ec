#include <algorithm>
#include <cmath>

#include "diff/diff.h"
#include "value/path.h"

namespace ckpt::diff {
namespace {

using lightning::Section;
using value::Kind;
using value::Tree;

bool any_matches(const std::vector<Glob>& globs, std::string_view path, const std::optional<std::string>& name) {
  return std::any_of(globs.begin(), globs.end(), [&](const Glob& glob) {
    return matches_prefix_or_glob(glob, path) || (name && matches_prefix_or_glob(glob, *name));
  });
}

// --- plain values ---------------------------------------------------------------------------------------

std::optional<double> number_of(const Tree& tree, value::NodeId node) {
  if (tree.kind(node) == Kind::kInt) return static_cast<double>(tree.integer(node));
  if (tree.kind(node) == Kind::kFloat) return tree.real(node);
  return std::nullopt;
}

bool close(double base, double other, const tensor::Tolerance& tolerance) {
  if (base == other || (std::isnan(base) && std::isnan(other))) return true;
  if (!std::isfinite(base) || !std::isfinite(other)) return false;
  return std::abs(other - base) <= tolerance.atol + tolerance.rtol * std::abs(base);
}

// --- one row --------------------------------------------------------------------------------------------

class Comparer {
 public:
  Comparer(Diff& out, const Options& options) : out_(out), options_(options) {}

  void row(std::string_view path, std::span<const Slot> slots) {
    const Section section = section_of_row(path, slots);
    for (std::size_t input = 1; input < slots.size(); ++input) pair(path, section, slots[0], slots[input], input);
  }

  // The deltas of all tensor pairs, in one parallel pass.
  void finish() {
    const auto deltas = tensor::compute_delta_all(jobs_, options_.jobs);
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      Totals& totals = out_.totals[pending_[i].input];
      ++totals.compared;
      if (deltas[i].differing == 0) {
        ++totals.identical;
        continue;
      }
      pending_[i].delta = deltas[i];
      out_.changes.push_back(std::move(pending_[i]));
    }
    std::stable_sort(out_.changes.begin(), out_.changes.end(), [](const Change& a, const Change& b) {
      return a.input != b.input ? a.input < b.input : a.section < b.section;
    });
  }

 private:
  Section section_of_row(std::string_view path, std::span<const Slot> slots) const {
    for (std::size_t i = 0; i < slots.size(); ++i)
      if (slots[i].kind != SlotKind::kAbsent) return lightning::section_of(out_.sides[i].input->items, path);
    return Section::kOther;
  }

  void add(ChangeKind kind, std::string_view path, Section section, Slot old_slot, Slot new_slot, std::size_t input) {
    out_.changes.push_back({kind, std::string(path), section, input, old_slot, new_slot, {}});
  }

  void pair(std::string_view path, Section section, Slot old_slot, Slot new_slot, std::size_t input) {
    if (old_slot.kind == SlotKind::kAbsent && new_slot.kind == SlotKind::kAbsent) return;
    if (old_slot.kind == SlotKind::kAbsent) return add(ChangeKind::kAdded, path, section, old_slot, new_slot, input);
    if (new_slot.kind == SlotKind::kAbsent) return add(ChangeKind::kRemoved, path, section, old_slot, new_slot, input);
    if (old_slot.kind != new_slot.kind) return add(ChangeKind::kType, path, section, old_slot, new_slot, input);
    if (old_slot.kind == SlotKind::kTensor) return tensors(path, section, old_slot, new_slot, input);
    const Side& base = out_.sides[0];
    const Side& side = out_.sides[input];
    const Leaf& x = base.leaves[old_slot.index];
    const Leaf& y = side.leaves[new_slot.index];
    if (equal_leaves(base.file(), x, side.file(), y, options_.tolerance)) return;
    const bool same_type = leaf_type(base.file(), x) == leaf_type(side.file(), y) ||
                           (number_of(base.file().tree, x.node) && number_of(side.file().tree, y.node));
    add(same_type ? ChangeKind::kValue : ChangeKind::kType, path, section, old_slot, new_slot, input);
  }

  void tensors(std::string_view path, Section section, Slot old_slot, Slot new_slot, std::size_t input) {
    const Checkpoint& base = out_.sides[0].file();
    const Checkpoint& file = out_.sides[input].file();
    const TensorRecord& x = base.record_of(base.entries[old_slot.index]);
    const TensorRecord& y = file.record_of(file.entries[new_slot.index]);
    if (x.layout != y.layout) return add(ChangeKind::kType, path, section, old_slot, new_slot, input);
    if (x.view.dtype != y.view.dtype) add(ChangeKind::kDType, path, section, old_slot, new_slot, input);
    if (x.view.shape != y.view.shape) return add(ChangeKind::kShape, path, section, old_slot, new_slot, input);
    if (!x.parts.empty() && !x.view.has_storage()) return;  // its parts are rows of their own
    const tensor::Storage* xs = readable_storage(base, x);
    const tensor::Storage* ys = readable_storage(file, y);
    if (xs == nullptr || ys == nullptr) {
      const bool by_design = lacks_data(base, x) && lacks_data(file, y);
      out_.not_compared.push_back({std::string(path), input, !by_design});
      return;
    }
    jobs_.push_back({{&x.view, xs}, {&y.view, ys}, options_.tolerance});
    pending_.push_back({ChangeKind::kValues, std::string(path), section, input, old_slot, new_slot, {}});
  }

  static bool lacks_data(const Checkpoint& file, const TensorRecord& record) {
    return !record.view.has_storage() || file.storages[record.view.storage].no_data;
  }

  Diff& out_;
  const Options& options_;
  std::vector<tensor::DeltaJob> jobs_;
  std::vector<Change> pending_;  // one per job
};

void count_tensors(const Side& side, Totals& totals) {
  for (const TensorEntry& entry : side.file().entries) {
    if (entry.part) continue;
    ++totals.tensors;
    totals.elements += side.file().record_of(entry).view.numel;
  }
}

bool wanted(const Diff& diff, const Options& options, std::string_view path) {
  if (options.only.empty() && options.ignore.empty()) return true;
  std::optional<std::string> name;
  for (const Side& side : diff.sides)
    if (!name) name = lightning::weight_name(side.input->items, path);
  if (!options.only.empty() && !any_matches(options.only, path, name)) return false;
  return !any_matches(options.ignore, path, name);
}

}  // namespace

std::string_view to_string(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kRemoved: return "removed";
    case ChangeKind::kAdded: return "added";
    case ChangeKind::kType: return "type";
    case ChangeKind::kShape: return "shape";
    case ChangeKind::kDType: return "dtype";
    case ChangeKind::kValues: return "values";
    case ChangeKind::kValue: return "value";
  }
  return "value";
}

bool equal_leaves(const Checkpoint& a, const Leaf& x, const Checkpoint& b, const Leaf& y, const tensor::Tolerance& tolerance) {
  const Kind xk = a.tree.kind(x.node);
  const Kind yk = b.tree.kind(y.node);
  if (x.repeat || y.repeat) return x.repeat == y.repeat;
  if (xk == Kind::kInt && yk == Kind::kInt && tolerance.atol == 0 && tolerance.rtol == 0)
    return a.tree.integer(x.node) == b.tree.integer(y.node);
  const auto xn = number_of(a.tree, x.node);
  const auto yn = number_of(b.tree, y.node);
  if (xn && yn) return close(*xn, *yn, tolerance);
  if (xk != yk) return false;
  if (xk == Kind::kString || xk == Kind::kBytes || xk == Kind::kBigInt)
    return a.tree.text(x.node) == b.tree.text(y.node) && leaf_type(a, x) == leaf_type(b, y);
  constexpr std::size_t kWhole = 1 << 20;
  return leaf_repr(a, x, kWhole) == leaf_repr(b, y, kWhole);
}

Diff compare(std::span<const Opened* const> inputs, const Options& options) {
  Diff diff;
  diff.totals.resize(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    diff.sides.push_back({inputs[i], collect_leaves(*inputs[i]->file)});
    count_tensors(diff.sides[i], diff.totals[i]);
  }
  const Alignment rows = align(diff.sides);
  Comparer comparer(diff, options);
  for (std::size_t i = 0; i < rows.keys.size(); ++i)
    if (wanted(diff, options, rows.keys[i])) comparer.row(rows.keys[i], rows.row(i));
  comparer.finish();
  return diff;
}

}  // namespace ckpt::diff
