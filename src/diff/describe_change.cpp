#include "diff/describe_change.h"

#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "diff/labels.h"
#include "diff/structure.h"
#include "report/plain_value.h"
#include "tensor/stats.h"
#include "value/path.h"

namespace ckpt::diff {
namespace {

using report::Cell;
using report::Style;

constexpr std::size_t kValueLimit = 100;
constexpr std::uint64_t kFewUlp = 1000;  // more is not rounding: the relative numbers are clearer

// The order in which cells are dropped from a line that is too narrow.
constexpr std::uint8_t kDropCounts = 4;
constexpr std::uint8_t kDropShape = 3;
constexpr std::uint8_t kDropCosine = 2;
constexpr std::uint8_t kDropMax = 1;

const Side& side_of(const Diff& diff, const Change& change, bool new_side) {
  return diff.sides[new_side ? change.input : 0];
}
const Slot& slot_of(const Change& change, bool new_side) {
  return new_side ? change.new_slot : change.old_slot;
}

const TensorRecord* tensor_of(const Diff& diff, const Change& change, bool new_side) {
  const Slot& slot = slot_of(change, new_side);
  return slot.kind == SlotKind::kTensor ? &side_of(diff, change, new_side).record(slot) : nullptr;
}

const std::string& detail_text(const Change& change) {
  static const std::string kEmpty;
  return change.detail ? change.detail->text : kEmpty;
}

std::string tensor_text(const TensorRecord& record) {
  const std::string layout = record.layout == "strided" ? "" : record.layout + " ";
  return fmt::format("{}{} {}", layout, tensor::short_name(record.view.dtype),
                     format_shape(record.view.shape));
}

// One side in a few words: "f32 [8, 4]" or the value.
std::string side_text(const Diff& diff, const Change& change, bool new_side) {
  if (change.detail && !(change.detail->old_text.empty() && change.detail->new_text.empty()))
    return one_line(new_side ? change.detail->new_text : change.detail->old_text);
  const Slot& slot = slot_of(change, new_side);
  if (slot.kind == SlotKind::kAbsent) return "-";
  const Side& side = side_of(diff, change, new_side);
  if (const TensorRecord* record = tensor_of(diff, change, new_side)) {
    if (change.kind == ChangeKind::kShape) return format_shape(record->view.shape);
    if (change.kind == ChangeKind::kDType) return std::string(tensor::name(record->view.dtype));
    if (change.kind == ChangeKind::kDevice) return one_line(location_of(side, *record));
    return tensor_text(*record);
  }
  const Leaf& leaf = side.leaf(slot);
  const std::string repr = leaf.repeat ? fmt::format("(as {})", value::display_path(leaf.first))
                                       : value::repr(side.tree(slot), leaf.node, kValueLimit);
  std::string text = one_line(abbreviate(repr, kValueLimit));
  if (change.kind == ChangeKind::kType)
    text += fmt::format(" ({})",
                        one_line(leaf.repeat ? "reference" : value::type_name(side.tree(slot), leaf.node)));
  return text;
}

// For people: whole numbers in full, others with six digits unless that hides the difference.
std::string spell_number(double x, Digits digits = {}) {
  if (std::abs(x) < 1e15 && x == std::floor(x)) return fmt::format("{:.0f}", x);
  return std::isfinite(x) ? fmt::format("{:.{}g}", x, digits.value_or(6)) : format_double(x);
}

// A norm or a difference.
std::string spell_difference(double x, Digits digits) {
  return digits && std::isfinite(x) ? fmt::format("{:.{}g}", x, *digits) : format_short(x);
}

std::string numbers_text(double a, double b, Digits digits) {
  const std::string x = spell_number(a, digits);
  const std::string y = spell_number(b, digits);
  return x == y ? format_double(a) + " -> " + format_double(b) : x + " -> " + y;
}

// Both values of a change, if they are floats: the sixteenth digit of a learning rate says nothing.
std::optional<std::pair<double, double>> floats_of(const Diff& diff, const Change& change) {
  if (change.kind != ChangeKind::kValue || change.old_slot.kind != SlotKind::kLeaf ||
      change.new_slot.kind != SlotKind::kLeaf)
    return std::nullopt;
  const auto real = [&](bool new_side) -> std::optional<double> {
    const Slot& slot = slot_of(change, new_side);
    const Side& side = side_of(diff, change, new_side);
    const value::NodeId node = side.leaf(slot).node;
    if (side.leaf(slot).repeat || side.tree(slot).kind(node) != value::Kind::kFloat) return std::nullopt;
    return side.tree(slot).real(node);
  };
  const auto a = real(false), b = real(true);
  if (!a || !b) return std::nullopt;
  return std::pair(*a, *b);
}

// For a tensor of one element (a score, a step), the value says more than the shape.
std::string one_sided_text(const Diff& diff, const Change& change, bool new_side) {
  const TensorRecord* record = tensor_of(diff, change, new_side);
  const tensor::Storage* storage = record != nullptr && record->view.numel == 1 && record->view.shape.empty()
                                       ? readable_storage(side_of(diff, change, new_side).file(), *record)
                                       : nullptr;
  if (storage == nullptr) return without_folders(side_text(diff, change, new_side));
  const tensor::Stats stats = tensor::compute_stats(record->view, *storage);
  if (!stats.decoded || stats.nonfinite() > 0) return side_text(diff, change, new_side);
  return spell_number(tensor::to_double(stats.min));
}

std::string at_index(const tensor::Delta& delta, const TensorRecord& record) {
  if (!delta.max_abs_index || record.view.shape.empty()) return "";
  return " at " + tensor::format_index(*delta.max_abs_index, record.view.shape);
}

std::string nonfinite_text(const tensor::Delta& d) {
  std::string text;
  if (d.nan_old != d.nan_new) text += fmt::format("NaN {} -> {}", d.nan_old, d.nan_new);
  if (d.inf_old != d.inf_new)
    text += fmt::format("{}Inf {} -> {}", text.empty() ? "" : "  ", d.inf_old, d.inf_new);
  return text;
}

// Then norms and cosine are those of the pairs of elements that are both finite.
bool has_nonfinite(const tensor::Delta& d) { return d.nan_old + d.nan_new + d.inf_old + d.inf_new > 0; }

Cell cell(std::string text, Style style, std::uint8_t drop) {
  Cell out;
  out.text = std::move(text);
  out.style = style;
  out.drop = drop;
  return out;
}

std::vector<Cell> delta_cells(const Diff& diff, const Change& change, Digits digits) {
  const TensorRecord& record = *tensor_of(diff, change, true);
  const tensor::Delta& d = *change.delta;
  std::vector<Cell> cells = {cell(tensor_text(record), Style::kDim, kDropShape)};
  if (!d.decoded) {
    cells.push_back(cell(fmt::format("{} of {} codes differ", d.differing, d.numel), Style::kPlain, 0));
    return cells;
  }
  cells.push_back(
      cell((has_nonfinite(d) ? "finite pairs: rel L2 " : "rel L2 ") + spell_difference(d.rel_l2, digits),
           Style::kPlain, 0));
  if (std::isfinite(d.max_abs))
    cells.push_back(
        cell(fmt::format("max |Δ| {}{}", spell_difference(d.max_abs, digits), at_index(d, record)),
             Style::kPlain, kDropMax));
  else
    cells.push_back(cell("not finite" + at_index(d, record), Style::kPlain, kDropMax));
  cells.push_back(cell(fmt::format("cos {:.{}f}", d.cosine, digits.value_or(5)), Style::kPlain, kDropCosine));
  if (change.max_ulp && *change.max_ulp > 0 && *change.max_ulp <= kFewUlp)
    cells.push_back(cell(fmt::format("{} ulp", *change.max_ulp), Style::kPlain, kDropCosine));
  cells.push_back(cell(fmt::format("{} of {} differ", d.differing, d.numel), Style::kDim, kDropCounts));
  if (const std::string text = nonfinite_text(d); !text.empty())
    cells.push_back(cell(text, Style::kError, 0));
  if (!detail_text(change).empty()) cells.push_back(cell(detail_text(change), Style::kNote, 0));
  return cells;
}

// --- findings ------------------------------------------------------------------------------------------

struct KindRule {
  std::string_view rule;
  report::Level level;
};

KindRule rule_of(const Change& change) {
  using report::Level;
  if (change.part == Part::kImports)
    return change.kind == ChangeKind::kAdded ? KindRule{"import-added", Level::kWarning}
                                             : KindRule{"import-removed", Level::kNote};
  switch (change.kind) {
    case ChangeKind::kRemoved: return {"key-removed", Level::kWarning};
    case ChangeKind::kAdded: return {"key-added", Level::kNote};
    case ChangeKind::kRenamed: return {"key-renamed", Level::kWarning};
    case ChangeKind::kType: return {"type-changed", Level::kWarning};
    case ChangeKind::kShape: return {"shape-changed", Level::kWarning};
    case ChangeKind::kDType: return {"dtype-changed", Level::kNote};
    case ChangeKind::kDevice: return {"device-changed", Level::kNote};
    case ChangeKind::kSharing: return {"sharing-changed", Level::kWarning};
    case ChangeKind::kValues: return {"values-changed", Level::kNote};
    case ChangeKind::kValue: return {"value-changed", Level::kNote};
  }
  return {"value-changed", Level::kNote};
}

report::PlaceKind place_of(const Change& change) {
  if (change.kind == ChangeKind::kRemoved) return report::PlaceKind::kProperty;
  return change.new_slot.kind == SlotKind::kTensor ? report::PlaceKind::kTensor : report::PlaceKind::kValue;
}

// The extent of a tensor that lies in place, for SARIF's byte region.
std::optional<report::ByteRange> bytes_of(const Diff& diff, const Change& change, bool new_side) {
  const TensorRecord* record = tensor_of(diff, change, new_side);
  if (record == nullptr || !record->view.has_storage()) return std::nullopt;
  const Checkpoint& file = side_of(diff, change, new_side).file();
  const tensor::Storage& storage = file.storages[record->view.storage];
  if (!storage.in_place || storage.size == 0) return std::nullopt;
  return report::ByteRange{storage.offset, storage.size, std::string(file.part_name(storage.part))};
}

std::vector<report::Property> properties_of(const Diff& diff, const Change& change) {
  std::vector<report::Property> out = {{"change", to_string(change.kind)},
                                       {"baseValue", side_value(diff, change, false)},
                                       {"newValue", side_value(diff, change, true)}};
  if (!detail_text(change).empty()) out.push_back({"explanation", detail_text(change)});
  if (!change.delta) return out;
  const tensor::Delta& delta = *change.delta;
  out.push_back({"elementCount", delta.numel});
  out.push_back({"changedCount", delta.differing});
  out.push_back({"maxAbsDiff", delta.max_abs});
  out.push_back({"meanAbsDiff", delta.mean_abs});
  out.push_back({"relL2", delta.rel_l2});
  out.push_back({"cosine", delta.cosine});
  return out;
}

void set_message(const Diff& diff, const Change& change, report::Finding& finding) {
  const std::string old_text = side_text(diff, change, false);
  const std::string new_text = side_text(diff, change, true);
  if (change.delta) {
    const tensor::Delta& d = *change.delta;
    finding.arguments = {std::to_string(d.differing), std::to_string(d.numel), format_short(d.max_abs),
                         format_short(d.rel_l2)};
    finding.message =
        fmt::format("{} of {} elements differ, max |delta| {}, relative L2 {}", finding.arguments[0],
                    finding.arguments[1], finding.arguments[2], finding.arguments[3]);
    if (has_nonfinite(d)) finding.message += " over the pairs of finite elements";
  } else if (change.kind == ChangeKind::kRemoved) {
    finding.arguments = {old_text};
    finding.message = "only in the base: " + old_text;
  } else if (change.kind == ChangeKind::kAdded) {
    finding.arguments = {new_text};
    finding.message = "not in the base: " + new_text;
  } else if (change.kind == ChangeKind::kRenamed) {
    finding.arguments = {one_line(change.old_path)};
    finding.message = "called " + finding.arguments[0] + " in the base";
  } else {
    const bool plain = change.kind == ChangeKind::kValue || change.kind == ChangeKind::kType;
    finding.arguments = {old_text, new_text};
    finding.message =
        fmt::format("{}{} -> {}", plain ? "" : std::string(to_string(change.kind)) + " ", old_text, new_text);
  }
}

}  // namespace

std::string change_text(const Diff& diff, const Change& change, Digits digits) {
  if (change.numbers) return numbers_text(change.numbers->first, change.numbers->second, digits);
  if (change.kind == ChangeKind::kRenamed) return detail_text(change);
  const bool one_sided = change.kind == ChangeKind::kAdded || change.kind == ChangeKind::kRemoved;
  if (one_sided)
    return change.part == Part::kImports ? ""
                                         : one_sided_text(diff, change, change.kind == ChangeKind::kAdded);
  if (const auto floats = floats_of(diff, change)) return numbers_text(floats->first, floats->second, digits);
  std::string old_text = without_folders(side_text(diff, change, false));
  std::string new_text = without_folders(side_text(diff, change, true));
  if (old_text == new_text) {  // only the folders differ
    old_text = side_text(diff, change, false);
    new_text = side_text(diff, change, true);
  }
  const bool plain = change.kind == ChangeKind::kValue;
  const std::string text =
      fmt::format("{}{} -> {}", plain ? "" : std::string(to_string(change.kind)) + " ", old_text, new_text);
  return text;
}

std::vector<Cell> describe_change(const Diff& diff, const Change& change, Digits digits) {
  if (change.delta && !change.numbers) return delta_cells(diff, change, digits);
  std::vector<Cell> cells;
  if (const std::string text = change_text(diff, change, digits); !text.empty())
    cells.push_back(cell(text, Style::kPlain, 0));
  if (change.kind != ChangeKind::kRenamed && !detail_text(change).empty())
    cells.push_back(cell(detail_text(change), Style::kNote, 0));
  return cells;
}

std::string signature_of(const Diff& diff, const Change& change) {
  std::string out(to_string(change.kind));
  if (change.kind == ChangeKind::kRenamed && change.part == Part::kKeys) return out;  // the label says all
  out += '\n' + detail_text(change) + '\n';
  if (change.delta && !change.numbers) {
    if (!nonfinite_text(*change.delta).empty()) out += "nonfinite";
    return change.part == Part::kOptimizers ? out : out + tensor_text(*tensor_of(diff, change, true));
  }
  const bool state = change.part == Part::kOptimizers && !change.name.empty();
  if (state && (change.kind == ChangeKind::kAdded || change.kind == ChangeKind::kRemoved)) return out;
  return out + change_text(diff, change);
}

report::Value side_value(const Diff& diff, const Change& change, bool new_side) {
  if (change.kind == ChangeKind::kRenamed)
    return value::display_path(new_side ? change.path : change.old_path);
  if (change.detail && !(change.detail->old_text.empty() && change.detail->new_text.empty())) {
    const std::string& text = new_side ? change.detail->new_text : change.detail->old_text;
    return text.empty() ? report::Value(nullptr) : report::Value(text);
  }
  const Slot& slot = slot_of(change, new_side);
  if (slot.kind == SlotKind::kAbsent) return nullptr;
  const Side& side = side_of(diff, change, new_side);
  if (const TensorRecord* record = tensor_of(diff, change, new_side)) {
    if (change.kind == ChangeKind::kShape) return report::to_value(record->view.shape);
    if (change.kind == ChangeKind::kDType) return tensor::name(record->view.dtype);
    if (change.kind == ChangeKind::kDevice) return std::string(location_of(side, *record));
    return report::Object{{"dtype", tensor::name(record->view.dtype)},
                          {"shape", report::to_value(record->view.shape)}};
  }
  return report::to_value(plain_value(side.tree(slot), side.leaf(slot)));
}

report::Finding change_finding(const Diff& diff, const Change& change) {
  report::Finding finding;
  const KindRule rule = rule_of(change);
  finding.rule_id = rule.rule;
  finding.level = rule.level;
  finding.kind = "changed";
  set_message(diff, change, finding);
  const std::string old_path(change.old_path.empty() ? change.path : change.old_path);
  finding.where = {change.input, std::string(change.path), place_of(change), bytes_of(diff, change, true),
                   ""};
  finding.related = {{0, old_path, place_of(change), bytes_of(diff, change, false), "the base"}};
  finding.properties = properties_of(diff, change);
  return finding;
}

}  // namespace ckpt::diff
