#include "diff/part_notes.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "training/keys.h"
#include "training/rates.h"
#include "training/scores.h"
#include "training/types.h"

namespace ckpt::diff {
namespace {

namespace keys = training::keys;

// "a" if both are, else "a -> b".
std::string both(const std::string& a, const std::string& b) { return a == b ? a : a + " -> " + b; }

void add(std::string& text, const std::string& piece) {
  if (piece.empty()) return;
  if (!text.empty()) text += " · ";
  text += piece;
}

std::string number(double value) {
  const bool whole = std::abs(value) < 1e15 && value == std::floor(value);
  return whole ? fmt::format("{:.0f}", value) : format_double(value);
}

std::string named_by(const OptimizerParams& params, StateKeys keys) {
  switch (params.named_by) {
    case NamedBy::kNothing: return "";
    case NamedBy::kKeys: return "named by key";
    case NamedBy::kParamNames: return "named by param_names";
    case NamedBy::kCallback: return "named by the finetuning callback";
    case NamedBy::kOrder:
      return "named by order and shape" +
             (params.unproven == 0
                  ? ""
                  : fmt::format(" (the order of {} that share a shape is assumed)", params.unproven));
    case NamedBy::kMovement: return "named by shape and movement";
    case NamedBy::kMoments: return "named by shape and moments";
    case NamedBy::kAmbiguous:
      return (keys == StateKeys::kSome ? "named in part: " : "compared by id: ") + params.why;
  }
  return "";
}

// As the comparison sees it: an old `epoch` is counted as in newer versions.
std::optional<std::int64_t> integer_at(const Side& side, std::string_view path) {
  for (const Place& place : side.places) {
    if (place.path != path || place.slot.kind != SlotKind::kLeaf) continue;
    const value::Tree& tree = side.tree(place.slot);
    const value::NodeId node = side.leaf(place.slot).node;
    if (tree.kind(node) == value::Kind::kInt) return tree.integer(node);
  }
  return std::nullopt;
}

// "3.1 %", "0.0013 %", "12 times" for more than tenfold.
std::string percent(double share) {
  return share > 10 ? fmt::format("{:.3g} times", share) : fmt::format("{:.3g} %", 100 * share);
}

// Of two types that may be the same, the more specific one: "Adam", not "Adam or AdamW".
bool shorter(const std::string& a, const std::string& b) { return a.size() < b.size(); }

template <class T>
const T* at(const std::vector<T>& list, std::size_t index) {
  return index < list.size() ? &list[index] : nullptr;
}

const training::Scheduler* scheduler_at(const Opened& input, std::size_t index) {
  for (const training::Scheduler& scheduler : input.training.schedulers)
    if (!scheduler.inner && scheduler.top == index) return &scheduler;
  return nullptr;
}

// "99.8 % of the weights moved, by 0.061 % (rel L2)": that of the tensors that moved.
std::string moved_note(const PartContext& c) {
  std::uint64_t moved = 0, nan = 0, inf = 0;
  double old_squares = 0, squares = 0;
  for (const Change& change : c.diff.changes) {
    if (change.input != c.input || change.part != Part::kWeights || !change.delta) continue;
    moved += change.delta->differing;
    if (!change.delta->decoded) continue;
    nan += change.delta->nan_new - std::min(change.delta->nan_old, change.delta->nan_new);
    inf += change.delta->inf_new - std::min(change.delta->inf_old, change.delta->inf_new);
    const double old_norm = change.delta->l2_old;
    const double norm = old_norm > 0 ? change.delta->rel_l2 * old_norm : change.delta->l2_new;
    old_squares += old_norm * old_norm;
    squares += norm * norm;
  }
  const std::uint64_t all = c.new_amounts.of(training::Section::kWeights).elements;
  if (all == 0 || c.diff.totals[c.input].compared == 0) return "";
  if (moved == 0) return "";
  const double share = 100.0 * static_cast<double>(moved) / static_cast<double>(all);
  std::string text = moved >= all ? "all weights moved"
                     : share < 0.1
                         ? fmt::format("{} of {} weights moved", format_count(moved), format_count(all))
                         : fmt::format("{:.3g} % of the weights moved", std::min(share, 99.9));
  if (inf > 0) text = fmt::format("{} Inf appeared in the weights · ", inf) + text;
  if (nan > 0) text = fmt::format("{} NaN appeared in the weights · ", nan) + text;
  if (nan + inf == 0 && old_squares > 0 && squares > 0 && std::isfinite(squares))
    text += fmt::format(", by {} (rel L2)", percent(std::sqrt(squares / old_squares)));
  return text;
}

// The score that both files monitor: "val_loss 3.28 -> 3.276".
std::string score_note(const PartContext& c) {
  const Opened& base = *c.diff.sides[0].input;
  const Opened& other = *c.diff.sides[c.input].input;
  const auto scores = training::read_scores(*other.file, other.training);
  for (const training::Score& old : training::read_scores(*base.file, base.training))
    for (const training::Score& now : scores) {
      if (old.monitor != now.monitor || old.monitor.empty() || !old.current || !now.current) continue;
      return fmt::format("{} {}", one_line(abbreviate(now.monitor, 40)),
                         both(fmt::format("{:.4g}", *old.current), fmt::format("{:.4g}", *now.current)));
    }
  return "";
}

std::string rates_text(std::vector<double> rates) {
  const auto [least, most] = std::minmax_element(rates.begin(), rates.end());
  return *least == *most ? fmt::format("{:.4g}", *least) : fmt::format("{:.3g} to {:.3g}", *least, *most);
}

std::string rate_note(const PartContext& c) {
  const Opened& base = *c.diff.sides[0].input;
  const Opened& other = *c.diff.sides[c.input].input;
  const std::vector<double> old = training::learning_rates(*base.file, base.training);
  const std::vector<double> now = training::learning_rates(*other.file, other.training);
  if (old.empty() || now.empty() || old == now) return "";
  return "lr " + both(rates_text(old), rates_text(now));
}

// "39 places outside of the weights not compared: safetensors holds weights only"
std::string unheld_note(const PartContext& c) {
  const std::string places = plural(c.diff.totals[c.input].unheld, "place");
  const Checkpoint &base = c.diff.sides[0].file(), &other = c.diff.sides[c.input].file();
  if (base.only_weights || other.only_weights)
    return fmt::format("{} outside of the weights not compared: {} holds weights only", places,
                       base.only_weights ? base.format : other.format);
  return fmt::format("{} of {}'s own not compared", places,
                     base.own_keys.empty() ? other.format : base.format);
}

}  // namespace

std::string overall_note(const PartContext& c) {
  std::string text = moved_note(c);
  add(text, score_note(c));
  add(text, rate_note(c));
  return text;
}

std::string counts_note(const Diff& diff, std::uint32_t input) {
  std::set<std::string_view> weights, tensors;
  std::size_t values = 0, added = 0, removed = 0, renamed = 0;
  for (const Change& change : diff.changes) {
    if (change.input != input) continue;
    const bool of_tensor = change.kind == ChangeKind::kSharing || change.old_slot.kind == SlotKind::kTensor ||
                           change.new_slot.kind == SlotKind::kTensor;
    if (change.kind == ChangeKind::kAdded)
      ++added;
    else if (change.kind == ChangeKind::kRemoved)
      ++removed;
    else if (change.kind == ChangeKind::kRenamed)
      ++renamed;
    else if (!of_tensor)
      ++values;
    else
      (change.section == training::Section::kWeights ? weights : tensors).insert(change.path);
  }
  std::string text;
  const auto say = [&](std::size_t count, const std::string& words) {
    if (count > 0) text += (text.empty() ? "" : ", ") + words;
  };
  say(weights.size(), plural(weights.size(), "weight"));
  say(tensors.size(), plural(tensors.size(), weights.empty() ? "tensor" : "other tensor"));
  say(values, plural(values, "value"));
  say(added, fmt::format("{} added", added));
  say(removed, fmt::format("{} removed", removed));
  say(renamed, fmt::format("{} renamed", renamed));
  return text.empty() ? "same" : text;
}

std::string container_note(const PartContext& c) {
  const Checkpoint& a = c.diff.sides[0].file();
  const Checkpoint& b = c.diff.sides[c.input].file();
  std::string text = both(a.format, b.format);
  add(text, both(format_bytes(a.file_size), format_bytes(b.file_size)));
  std::map<training::Section, std::pair<std::uint64_t, std::uint64_t>> bytes;
  for (const auto& [section, amount] : c.old_amounts.by_section) bytes[section].first = amount.bytes;
  for (const auto& [section, amount] : c.new_amounts.by_section) bytes[section].second = amount.bytes;
  for (const auto& [section, size] : bytes)
    if (size.first != size.second)
      add(text, fmt::format("{} {}", training::title(section),
                            both(format_bytes(size.first), format_bytes(size.second))));
  return text;
}

std::string tensors_note(const PartContext& c) {
  const Totals& totals = c.diff.totals[c.input];
  std::string text = plural(totals.compared, "tensor") + " compared";
  add(text, fmt::format("{} differ", totals.compared - totals.identical - totals.close));
  if (totals.close > 0) add(text, fmt::format("{} within tolerance", totals.close));
  add(text, fmt::format("{} identical", totals.identical));
  if (totals.unheld > 0) add(text, unheld_note(c));
  return text;
}

std::string weights_note(const PartContext& c, std::size_t changed, std::size_t cast) {
  const training::Amount a = c.old_amounts.of(training::Section::kWeights);
  const training::Amount b = c.new_amounts.of(training::Section::kWeights);
  std::string text = a.tensors == b.tensors ? plural(b.tensors, "tensor")
                                            : fmt::format("{} -> {} tensors", a.tensors, b.tensors);
  add(text, both(format_count(a.elements), format_count(b.elements)) + " elements");
  add(text, fmt::format("{} differ", changed));
  if (cast > 0)
    add(text, fmt::format("{} due to the cast alone", cast == changed ? "all" : std::to_string(cast)));
  return text;
}

std::string optimizer_note(const PartContext& c, std::size_t index) {
  const Opened& base = *c.diff.sides[0].input;
  const Opened& other = *c.diff.sides[c.input].input;
  const auto* a = at(base.training.optimizers, index);
  const auto* b = at(other.training.optimizers, index);
  if (a == nullptr && b == nullptr) return "";  // an empty list here, no list there
  if (a == nullptr || b == nullptr)
    return b == nullptr ? "only in the base: " + a->type : "not in the base: " + b->type;
  std::string text = training::may_be_same_type(a->type, b->type) ? std::min(a->type, b->type, shorter)
                                                                  : both(a->type, b->type);
  const auto old_step = training::first_step(*base.file, *a);
  const auto new_step = training::first_step(*other.file, *b);
  if (old_step && new_step) add(text, "step " + both(number(*old_step), number(*new_step)));
  const std::size_t old_groups = a->groups.size();
  const std::size_t new_groups = b->groups.size();
  add(text, old_groups == new_groups ? plural(new_groups, "group")
                                     : fmt::format("{} -> {} groups", old_groups, new_groups));
  const std::string parameters = both(std::to_string(a->parameters), std::to_string(b->parameters));
  const auto* x = at(c.diff.optimizers[0], index);
  const auto* y = at(c.diff.optimizers[c.input], index);
  const OptimizerParams* how = y == nullptr || (x != nullptr && x->named_by > y->named_by) ? x : y;
  const std::string by = how == nullptr ? "" : named_by(*how, state_keys(c.diff.optimizers, index));
  add(text, parameters + (a->parameters == 1 && b->parameters == 1 ? " parameter" : " parameters") +
                (by.empty() ? "" : " " + by));
  return text;
}

std::string scheduler_note(const PartContext& c, std::size_t index) {
  const Opened& base = *c.diff.sides[0].input;
  const Opened& other = *c.diff.sides[c.input].input;
  const auto* a = scheduler_at(base, index);
  const auto* b = scheduler_at(other, index);
  if (a == nullptr && b == nullptr) return "";  // an empty list here, no list there
  if (a == nullptr || b == nullptr)
    return b == nullptr ? "only in the base: " + a->type : "not in the base: " + b->type;
  std::string text = both(a->type, b->type);
  const auto old_epoch = training::last_epoch_of(base.file->tree, *a);
  const auto new_epoch = training::last_epoch_of(other.file->tree, *b);
  if (old_epoch && new_epoch)
    add(text,
        fmt::format("{} {}", keys::kLastEpoch, both(std::to_string(*old_epoch), std::to_string(*new_epoch))));
  return text;
}

std::string progress_note(const PartContext& c) {
  std::string text;
  const training::Items& items = c.diff.sides[0].items();
  for (const std::string_view name :
       {std::string_view(items.epoch_path), std::string_view(items.global_step_path)}) {
    const auto a = integer_at(c.diff.sides[0], name);
    const auto b = integer_at(c.diff.sides[c.input], name);
    if (a && b) add(text, fmt::format("{} {}", name, both(std::to_string(*a), std::to_string(*b))));
  }
  return text;
}

std::string averaging_note(const PartContext& c, const std::string& kinds) {
  const Totals& totals = c.diff.totals[c.input];
  std::string text = kinds;
  if (totals.live_compared == 0) return text;
  const bool old_averaged = c.diff.sides[0].items().current_model_state != value::kNoNode;
  add(text, fmt::format("state_dict is an average {}; {} of {} live weights equal the other's state_dict",
                        old_averaged ? "in the base" : "in the other file", totals.live_identical,
                        totals.live_compared));
  return text;
}

std::vector<std::string> migration_notes(const PartContext& c) {
  std::vector<std::string> out;
  for (const std::uint32_t side : {0u, c.input}) {
    const Migration& migration = c.diff.totals[side].migration;
    if (!migration.any()) continue;
    std::string text;
    for (const std::string& done : migration.done) text += (text.empty() ? "" : "; ") + done;
    out.push_back(fmt::format("{} is shown as Lightning {} would load it: {}",
                              side == 0 ? "the base" : "the other file", one_line(migration.to.text), text));
  }
  if (const std::uint64_t count = c.diff.totals[c.input].unrecorded; count > 0)
    out.push_back(fmt::format("{} that the older version does not record {} not compared",
                              plural(count, "place"), count == 1 ? "is" : "are"));
  return out;
}

}  // namespace ckpt::diff
