#include <algorithm>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"
#include "diff/align.h"
#include "diff/diff.h"
#include "diff/explain.h"
#include "diff/filter.h"
#include "diff/match.h"
#include "diff/movement.h"
#include "diff/pictures.h"
#include "diff/renames.h"
#include "diff/structure.h"
#include "tensor/stats.h"
#include "training/paths.h"
#include "value/path.h"

namespace ckpt::diff {
namespace {

using training::Section;
using value::Kind;
using value::Tree;

// --- plain values --------------------------------------------------------------------------------------

std::optional<double> number_of(const Tree& tree, value::NodeId node) {
  if (tree.kind(node) == Kind::kInt) return static_cast<double>(tree.integer(node));
  if (tree.kind(node) == Kind::kFloat) return tree.real(node);
  return std::nullopt;
}

bool close(double base, double other, const tensor::Tolerance& tolerance) {
  if (std::isnan(base) && std::isnan(other)) return tolerance.nan_equal;
  if (base == other) return true;
  if (!std::isfinite(base) || !std::isfinite(other)) return false;
  return std::abs(other - base) <= tolerance.atol + tolerance.rtol * std::abs(base);
}

std::string leaf_type(const Tree& tree, const Leaf& leaf) {
  return leaf.repeat ? "reference" : value::type_name(tree, leaf.node);
}

std::string leaf_repr(const Tree& tree, const Leaf& leaf) {
  constexpr std::size_t kWhole = 1 << 20;
  return leaf.repeat ? "(shown above)" : value::repr(tree, leaf.node, kWhole);
}

// --- where a change belongs ----------------------------------------------------------------------------

Part part_of(Section section, ChangeKind kind) {
  switch (section) {
    case Section::kMeta: return Part::kMeta;
    case Section::kWeights:
      if (kind == ChangeKind::kAdded || kind == ChangeKind::kRemoved || kind == ChangeKind::kRenamed)
        return Part::kKeys;
      return kind == ChangeKind::kValues || kind == ChangeKind::kValue ? Part::kWeights : Part::kLayout;
    case Section::kOptimizers: return Part::kOptimizers;
    case Section::kSchedulers: return Part::kSchedulers;
    case Section::kLoops: return Part::kLoops;
    case Section::kCallbacks: return Part::kCallbacks;
    case Section::kPrecision: return Part::kPrecision;
    case Section::kHyperParameters: return Part::kHyperParameters;
    case Section::kDataModuleHyperParameters: return Part::kDataModuleHyperParameters;
    case Section::kDataModule: return Part::kDataModule;
    case Section::kAveraging: return Part::kAveraging;
    case Section::kOther: return Part::kOther;
  }
  return Part::kOther;
}

// Some change of this row may be selected, so its elements are worth reading.
bool wants_any(const Filter& filter, Section section) {
  return filter.wants(part_of(section, ChangeKind::kValues)) ||
         filter.wants(part_of(section, ChangeKind::kAdded)) ||
         filter.wants(part_of(section, ChangeKind::kShape));
}

// --- rows ----------------------------------------------------------------------------------------------

class Comparer {
 public:
  Comparer(Diff& out, const Options& options) : out_(out), filter_(out.sides, options), options_(options) {}

  void row(std::span<const std::uint32_t> places) {
    if (!filter_.wants(places)) return;
    const Section section = section_of_row(places);
    if (!wants_any(filter_, section)) return;
    for (std::uint32_t input = 1; input < places.size(); ++input) {
      if (places[0] == places[input] && places[0] == Alignment::kNowhere) continue;
      pair(section, place_of(0, places[0]), place_of(input, places[input]), input);
    }
  }

  void add(Change change) {
    if (filter_.wants(change.part)) out_.changes.push_back(std::move(change));
  }

  void finish() {
    compare_pending();
    for (Change& change : different_) add(std::move(change));
    if (options_.explain) explain_changes(out_, options_.jobs);
    std::stable_sort(out_.changes.begin(), out_.changes.end(), [](const Change& a, const Change& b) {
      return a.input != b.input ? a.input < b.input : a.part < b.part;
    });
  }

 private:
  // The deltas of the tensor pairs so far, in one parallel pass.
  void compare_pending() {
    const auto deltas = tensor::compute_delta_all(jobs_, options_.jobs);
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      const Pending& pair = pending_[i];
      Totals& totals = out_.totals[pair.input];
      ++totals.compared;
      if (options_.pictures && pair.section == Section::kWeights && deltas[i].decoded)
        out_.weight_pairs.push_back(weight_pair(pair.input, pair.new_place->name, deltas[i]));
      if (deltas[i].differing == 0) {
        ++(deltas[i].changed == 0 ? totals.identical : totals.close);
        continue;
      }
      Change& different = different_.emplace_back(
          change(ChangeKind::kValues, pair.section, pair.old_place, pair.new_place, pair.input));
      different.delta = deltas[i];
      if (deltas[i].numel == 1 && deltas[i].decoded)
        different.numbers = {number_in(jobs_[i].old_tensor), number_in(jobs_[i].new_tensor)};
    }
    jobs_.clear();
    pending_.clear();
  }

  const Place* place_of(std::size_t input, std::uint32_t index) const {
    return index == Alignment::kNowhere ? nullptr : &out_.sides[input].places[index];
  }

  Section section_of_row(std::span<const std::uint32_t> places) const {
    for (std::size_t i = 0; i < places.size(); ++i) {
      const Place* place = place_of(i, places[i]);
      if (place == nullptr) continue;
      if (place->key.space == Space::kWeight) return Section::kWeights;
      return training::section_of(out_.sides[i].items(), place->path);
    }
    return Section::kOther;
  }

  static double number_in(const tensor::StatsJob& job) {
    const tensor::Stats stats = tensor::compute_stats(*job.view, *job.storage);
    if (stats.nan > 0) return std::nan("");
    if (stats.nonfinite() > 0) return stats.posinf > 0 ? HUGE_VAL : -HUGE_VAL;
    return tensor::to_double(stats.min);
  }

  Change change(ChangeKind kind, Section section, const Place* old_place, const Place* new_place,
                std::uint32_t input) const {
    Change out;
    out.kind = kind;
    out.section = section;
    out.part = part_of(section, kind);
    out.input = input;
    out.path = new_place != nullptr ? new_place->path : old_place->path;
    out.name = new_place != nullptr ? new_place->name : old_place->name;
    if (old_place != nullptr && old_place->path != out.path) out.old_path = old_place->path;
    if (old_place != nullptr) out.old_slot = old_place->slot;
    if (new_place != nullptr) out.new_slot = new_place->slot;
    return out;
  }

  // True if only the newer of the two files could hold this.
  bool is_unrecorded(const Side& without, Section section, const Place& place) const {
    const auto& version = without.items().version;
    return options_.migrate && version && without.items().kind == training::FileKind::kTrainer &&
           unrecorded(*version, section, place.path);
  }

  // True if one file's format has no room for it: a safetensors file holds no optimizer, and no other format
  // what safetensors says of itself.
  static bool is_unheld(const Side& a, const Side& b, Section section) {
    return section != Section::kWeights && (a.file().only_weights || b.file().only_weights);
  }

  // True for what a format tells of itself, and the other format has no word for.
  static bool is_own(const Side& with, const Side& without, const Place& place) {
    const std::vector<std::string>& own = with.file().own_keys;
    return with.file().format != without.file().format &&
           std::find(own.begin(), own.end(), training::first_key(place.path)) != own.end();
  }

  // A container is empty on one side only: its content on the other side says it all.
  bool is_filled(const Side& with, const Place& place, std::uint32_t other) {
    if (place.slot.kind != SlotKind::kLeaf || place.key.space != Space::kPath) return false;
    const Kind kind = with.tree(place.slot).kind(with.leaf(place.slot).node);
    if (kind != Kind::kDict && kind != Kind::kList && kind != Kind::kTuple && kind != Kind::kSet)
      return false;
    const auto& paths = sorted_paths(other);
    for (const char next : {'.', '['}) {
      const std::string below = std::string(place.key.text) + next;
      const auto at = std::lower_bound(paths.begin(), paths.end(), std::string_view(below));
      if (at != paths.end() && at->starts_with(below)) return true;
    }
    return false;
  }

  const std::vector<std::string_view>& sorted_paths(std::uint32_t side) {
    if (paths_.empty()) paths_.resize(out_.sides.size());
    auto& paths = paths_[side];
    if (paths.empty()) {
      for (const Place& place : out_.sides[side].places)
        if (place.key.space == Space::kPath) paths.push_back(place.key.text);
      std::sort(paths.begin(), paths.end());
    }
    return paths;
  }

  void pair(Section section, const Place* old_place, const Place* new_place, std::uint32_t input) {
    if (old_place == nullptr || new_place == nullptr) {
      const bool added = old_place == nullptr;
      const Place& place = added ? *new_place : *old_place;
      if (is_filled(out_.sides[added ? input : 0], place, added ? 0 : input)) return;
      if (is_unrecorded(out_.sides[added ? 0 : input], section, place)) {
        ++out_.totals[input].unrecorded;
        return;
      }
      if (is_unheld(out_.sides[0], out_.sides[input], section) ||
          is_own(out_.sides[added ? input : 0], out_.sides[added ? 0 : input], place)) {
        ++out_.totals[input].unheld;
        return;
      }
      return add(
          change(added ? ChangeKind::kAdded : ChangeKind::kRemoved, section, old_place, new_place, input));
    }
    if (old_place->slot.kind != new_place->slot.kind)
      return add(change(ChangeKind::kType, section, old_place, new_place, input));
    if (old_place->slot.kind == SlotKind::kTensor) return tensors(section, *old_place, *new_place, input);
    leaves(section, *old_place, *new_place, input);
  }

  void leaves(Section section, const Place& old_place, const Place& new_place, std::uint32_t input) {
    const Side& base = out_.sides[0];
    const Side& side = out_.sides[input];
    const Tree& a = base.tree(old_place.slot);
    const Tree& b = side.tree(new_place.slot);
    const Leaf& x = base.leaf(old_place.slot);
    const Leaf& y = side.leaf(new_place.slot);
    if (equal_leaves(a, x, b, y, filter_.tolerance(base, old_place))) return;
    const bool same_type =
        leaf_type(a, x) == leaf_type(b, y) || (number_of(a, x.node) && number_of(b, y.node));
    add(change(same_type ? ChangeKind::kValue : ChangeKind::kType, section, &old_place, &new_place, input));
  }

  void tensors(Section section, const Place& old_place, const Place& new_place, std::uint32_t input) {
    const Side& base = out_.sides[0];
    const Side& side = out_.sides[input];
    const TensorRecord& x = base.record(old_place.slot);
    const TensorRecord& y = side.record(new_place.slot);
    const auto note = [&](ChangeKind kind) { add(change(kind, section, &old_place, &new_place, input)); };
    if (x.layout != y.layout) return note(ChangeKind::kType);
    if (x.view.dtype != y.view.dtype) note(ChangeKind::kDType);
    if (location_of(base, x) != location_of(side, y)) note(ChangeKind::kDevice);
    if (x.view.shape != y.view.shape) return note(ChangeKind::kShape);
    if (!x.parts.empty() && !x.view.has_storage()) return;  // its parts have their own rows
    if (!filter_.wants(part_of(section, ChangeKind::kValues))) return;
    const tensor::Storage* xs = readable_storage(base.file(), x);
    const tensor::Storage* ys = readable_storage(side.file(), y);
    if (xs == nullptr || ys == nullptr) {
      const bool by_design = lacks_data(base.file(), x) && lacks_data(side.file(), y);
      out_.not_compared.push_back({new_place.path, input, !by_design});
      return;
    }
    jobs_.push_back({{&x.view, xs}, {&y.view, ys}, tolerance(old_place, new_place, input)});
    pending_.push_back({section, input, &old_place, &new_place});
    if (jobs_.size() == kMostPending) compare_pending();
  }

  // For two dtypes, the wider tolerance, like assert_close.
  tensor::Tolerance tolerance(const Place& old_place, const Place& new_place, std::uint32_t input) const {
    tensor::Tolerance a = filter_.tolerance(out_.sides[0], old_place);
    if (!options_.close) return a;
    const tensor::Tolerance b = filter_.tolerance(out_.sides[input], new_place);
    a.rtol = std::max(a.rtol, b.rtol);
    a.atol = std::max(a.atol, b.atol);
    return a;
  }

  static bool lacks_data(const Checkpoint& file, const TensorRecord& record) {
    return !record.view.has_storage() || file.storages[record.view.storage].no_data;
  }

  Diff& out_;
  Filter filter_;
  const Options& options_;
  // Tensor pairs that are compared together: enough to share the work, few enough to have in memory.
  static constexpr std::size_t kMostPending = 1u << 16;
  struct Pending {
    Section section;
    std::uint32_t input;
    const Place *old_place, *new_place;
  };
  std::vector<tensor::DeltaJob> jobs_;
  std::vector<Pending> pending_;                      // one per job
  std::vector<Change> different_;                     // whose elements differ
  std::vector<std::vector<std::string_view>> paths_;  // of each side, sorted; built on first use
};

// An averaged file against one that is not: the live weights of the averaged one correspond to the base's
// weights.
void compare_live_weights(Diff& diff, std::uint32_t input) {
  const bool old_averaged = diff.sides[0].items().current_model_state != value::kNoNode;
  const bool new_averaged = diff.sides[input].items().current_model_state != value::kNoNode;
  if (old_averaged == new_averaged) return;
  const Side& averaged = diff.sides[old_averaged ? 0 : input];
  const Side& plain = diff.sides[old_averaged ? input : 0];
  std::unordered_map<std::string_view, const Place*> weights;
  for (const Place& place : plain.places)
    if (place.key.space == Space::kWeight && place.slot.kind == SlotKind::kTensor)
      weights.emplace(place.key.text, &place);
  Totals& totals = diff.totals[input];
  for (const Place& place : averaged.places) {
    if (place.key.space != Space::kCurrentWeight || place.slot.kind != SlotKind::kTensor) continue;
    const auto found = weights.find(place.key.text);
    if (found == weights.end()) continue;
    const TensorRecord& a = plain.record(found->second->slot);
    const TensorRecord& b = averaged.record(place.slot);
    const tensor::Storage* x = readable_storage(plain.file(), a);
    const tensor::Storage* y = readable_storage(averaged.file(), b);
    if (x == nullptr || y == nullptr) continue;
    ++totals.live_compared;
    totals.live_identical += tensor::same_elements(a.view, *x, b.view, *y) ? 1u : 0u;
  }
}

void count_tensors(const Side& side, Totals& totals) {
  for (const TensorEntry& entry : side.file().entries) {
    if (entry.part) continue;
    ++totals.tensors;
    totals.elements += side.file().record_of(entry).view.numel;
  }
}

// Migrates all sides to the layout of the newest version among them.
void migrate_all(Diff& diff) {
  const training::Version* newest = nullptr;
  for (const Side& side : diff.sides) {
    const auto& version = side.items().version;
    if (version && (newest == nullptr || version->at_least(newest->major, newest->minor, newest->patch)))
      newest = &*version;
  }
  if (newest == nullptr) return;
  for (std::size_t i = 0; i < diff.sides.size(); ++i)
    diff.totals[i].migration = migrate(diff.sides[i], *newest);
}

void add_key_matches(std::uint32_t input, const std::vector<KeyMatch>& matches, Comparer& comparer) {
  for (const KeyMatch& match : matches) {
    if (match.same_to_lightning) continue;
    Change change;
    change.kind = ChangeKind::kRenamed;
    change.section = match.section;
    change.part = part_of(match.section, ChangeKind::kRenamed);
    change.input = input;
    change.path = match.new_path;
    change.old_path = match.old_path;
    comparer.add(std::move(change));
  }
}

}  // namespace

bool equal_leaves(const Tree& a, const Leaf& x, const Tree& b, const Leaf& y,
                  const tensor::Tolerance& tolerance) {
  if (x.repeat || y.repeat) return x.repeat == y.repeat && x.first == y.first;
  const Kind xk = a.kind(x.node);
  const Kind yk = b.kind(y.node);
  if (xk == Kind::kInt && yk == Kind::kInt && tolerance.atol == 0 && tolerance.rtol == 0)
    return a.integer(x.node) == b.integer(y.node);
  const auto xn = number_of(a, x.node);
  const auto yn = number_of(b, y.node);
  if (xn && yn) return close(*xn, *yn, tolerance);
  if (xk != yk) return false;
  if (xk == Kind::kString || xk == Kind::kBytes || xk == Kind::kBigInt)
    return a.text(x.node) == b.text(y.node) && leaf_type(a, x) == leaf_type(b, y);
  return leaf_repr(a, x) == leaf_repr(b, y);
}

Diff compare(std::span<const Opened* const> inputs, const Options& options) {
  Diff diff;
  diff.totals.resize(inputs.size());
  diff.sides.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    diff.sides.emplace_back(*inputs[i]);
    count_tensors(diff.sides[i], diff.totals[i]);
  }
  if (options.migrate) migrate_all(diff);
  apply_names(diff.sides, options.names);
  Comparer comparer(diff, options);
  for (std::uint32_t i = 1; i < diff.sides.size(); ++i) {
    if (!options.names.find_renames) continue;
    add_key_matches(i, match_keys(diff.sides[0], diff.sides[i]), comparer);
    auto renames = match_prefixes(diff.sides[0], diff.sides[i]);
    for (Rename& rename : match_contents(diff.sides[0], diff.sides[i], options.jobs))
      renames.push_back(std::move(rename));
    for (Change& change : rename_changes(diff, i, renames)) comparer.add(std::move(change));
  }
  for (const Side& side : diff.sides) collect_crowded_callbacks(side, diff.crowded_callbacks);
  for (Side& side : diff.sides) diff.optimizers.push_back(name_parameters(side));
  name_by_comparison(diff.sides, diff.optimizers);
  diff.unnamed_states = use_names(diff.sides, diff.optimizers);
  const Alignment rows = align(diff.sides);
  for (std::size_t i = 0; i < rows.rows; ++i) comparer.row(rows.row(i));
  if (!options.filters_places() && options.names.subtrees.empty())
    for (std::uint32_t i = 1; i < diff.sides.size(); ++i)
      for (Change& change : structure_changes(diff, i)) comparer.add(std::move(change));
  for (std::uint32_t i = 1; i < diff.sides.size(); ++i) explain_ties(diff, i);
  comparer.finish();
  for (std::uint32_t i = 1; i < diff.sides.size(); ++i) compare_live_weights(diff, i);
  return diff;
}

}  // namespace ckpt::diff
