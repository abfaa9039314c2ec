#include "diff/describe_change.h"

#include <fmt/format.h>

#include "base/text.h"
#include "show/leaf_value.h"

namespace ckpt::diff {
namespace {

using report::Cell;
using report::Style;

constexpr std::size_t kValueLimit = 100;

const Side& side_of(const Diff& diff, const Change& change, bool new_side) { return diff.sides[new_side ? change.input : 0]; }
const Slot& slot_of(const Change& change, bool new_side) { return new_side ? change.new_slot : change.old_slot; }

const TensorRecord* tensor_of(const Diff& diff, const Change& change, bool new_side) {
  const Slot& slot = slot_of(change, new_side);
  if (slot.kind != SlotKind::kTensor) return nullptr;
  const Checkpoint& file = side_of(diff, change, new_side).file();
  return &file.record_of(file.entries[slot.index]);
}

// One side in a few words: "f32 [8, 4]" or the value.
std::string side_text(const Diff& diff, const Change& change, bool new_side) {
  const Slot& slot = slot_of(change, new_side);
  if (slot.kind == SlotKind::kAbsent) return "-";
  if (const TensorRecord* record = tensor_of(diff, change, new_side)) {
    if (change.kind == ChangeKind::kShape) return format_shape(record->view.shape);
    if (change.kind == ChangeKind::kDType) return std::string(tensor::name(record->view.dtype));
    const std::string layout = record->layout == "strided" ? "" : record->layout + " ";
    return fmt::format("{}{} {}", layout, tensor::short_name(record->view.dtype), format_shape(record->view.shape));
  }
  const Side& side = side_of(diff, change, new_side);
  const Leaf& leaf = side.leaves[slot.index];
  std::string text = one_line(abbreviate(leaf_repr(side.file(), leaf, kValueLimit), kValueLimit));
  if (change.kind == ChangeKind::kType) text += fmt::format(" ({})", one_line(leaf_type(side.file(), leaf)));
  return text;
}

std::string at_index(const tensor::Delta& delta, const TensorRecord& record) {
  if (!delta.max_abs_index || record.view.shape.empty()) return "";
  return " at " + tensor::format_index(*delta.max_abs_index, record.view.shape);
}

std::vector<Cell> delta_cells(const Diff& diff, const Change& change) {
  const TensorRecord& record = *tensor_of(diff, change, true);
  const tensor::Delta& delta = *change.delta;
  std::vector<Cell> cells = {
      {fmt::format("{} {}", tensor::short_name(record.view.dtype), format_shape(record.view.shape)), Style::kDim, false}};
  if (!delta.decoded) {
    cells.push_back({fmt::format("{} of {} codes differ", delta.differing, delta.numel), Style::kPlain, false});
    return cells;
  }
  cells.push_back({"rel L2 " + format_short(delta.rel_l2), Style::kPlain, false});
  cells.push_back({fmt::format("max |Δ| {}{}", format_short(delta.max_abs), at_index(delta, record)), Style::kPlain, false});
  cells.push_back({fmt::format("cos {:.5f}", delta.cosine), Style::kPlain, false});
  cells.push_back({fmt::format("{} of {} differ", delta.differing, delta.numel), Style::kDim, false});
  if (delta.nan_old != delta.nan_new)
    cells.push_back({fmt::format("NaN {} -> {}", delta.nan_old, delta.nan_new), Style::kError, false});
  if (delta.inf_old != delta.inf_new)
    cells.push_back({fmt::format("Inf {} -> {}", delta.inf_old, delta.inf_new), Style::kError, false});
  return cells;
}

std::string rule_of(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kRemoved: return "key-removed";
    case ChangeKind::kAdded: return "key-added";
    case ChangeKind::kType: return "type-changed";
    case ChangeKind::kShape: return "shape-changed";
    case ChangeKind::kDType: return "dtype-changed";
    case ChangeKind::kValues: return "values-changed";
    case ChangeKind::kValue: return "value-changed";
  }
  return "value-changed";
}

report::Level level_of(ChangeKind kind) {
  const bool structural = kind == ChangeKind::kRemoved || kind == ChangeKind::kType || kind == ChangeKind::kShape;
  return structural ? report::Level::kWarning : report::Level::kNote;
}

report::PlaceKind place_of(const Change& change) {
  if (change.kind == ChangeKind::kRemoved) return report::PlaceKind::kProperty;
  return change.new_slot.kind == SlotKind::kTensor ? report::PlaceKind::kTensor : report::PlaceKind::kValue;
}

// The extent of a tensor that lies in place, for SARIF's byte region.
std::optional<report::ByteRange> bytes_of(const Diff& diff, const Change& change, bool new_side) {
  const TensorRecord* record = tensor_of(diff, change, new_side);
  if (record == nullptr || !record->view.has_storage()) return std::nullopt;
  const tensor::Storage& storage = side_of(diff, change, new_side).file().storages[record->view.storage];
  if (!storage.in_place || storage.size == 0) return std::nullopt;
  return report::ByteRange{storage.offset, storage.size};
}

std::vector<report::Property> properties_of(const Diff& diff, const Change& change) {
  std::vector<report::Property> out = {{"change", to_string(change.kind)},
                                       {"baseValue", side_value(diff, change, false)},
                                       {"newValue", side_value(diff, change, true)}};
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

}  // namespace

std::string short_path(const Diff& diff, const Change& change) {
  if (change.path.empty()) return "<root>";
  if (change.section == lightning::Section::kWeights)
    for (const Side& side : diff.sides)
      if (auto name = lightning::weight_name(side.input->items, change.path); name && !name->empty()) return *name;
  for (const std::string_view root : {"hyper_parameters.", "datamodule_hyper_parameters."})
    if (change.path.starts_with(root)) return change.path.substr(root.size());
  return change.path;
}

std::vector<Cell> describe_change(const Diff& diff, const Change& change) {
  if (change.delta) return delta_cells(diff, change);
  const std::string old_text = side_text(diff, change, false);
  const std::string new_text = side_text(diff, change, true);
  if (change.kind == ChangeKind::kAdded) return {{new_text, Style::kPlain, false}};
  if (change.kind == ChangeKind::kRemoved) return {{old_text, Style::kPlain, false}};
  const bool structural = change.kind == ChangeKind::kShape || change.kind == ChangeKind::kDType || change.kind == ChangeKind::kType;
  const std::string what = structural ? std::string(to_string(change.kind)) + " " : std::string();
  return {{fmt::format("{}{} -> {}", what, old_text, new_text), Style::kPlain, false}};
}

report::Value side_value(const Diff& diff, const Change& change, bool new_side) {
  const Slot& slot = slot_of(change, new_side);
  if (slot.kind == SlotKind::kAbsent) return nullptr;
  if (const TensorRecord* record = tensor_of(diff, change, new_side)) {
    if (change.kind == ChangeKind::kShape) return show::shape_value(record->view.shape);
    if (change.kind == ChangeKind::kDType) return tensor::name(record->view.dtype);
    return report::Object{{"dtype", tensor::name(record->view.dtype)}, {"shape", show::shape_value(record->view.shape)}};
  }
  const Side& side = side_of(diff, change, new_side);
  return show::leaf_value(side.file(), side.leaves[slot.index]);
}

report::Finding change_finding(const Diff& diff, const Change& change) {
  report::Finding finding;
  finding.rule_id = rule_of(change.kind);
  finding.level = level_of(change.kind);
  finding.kind = "changed";
  const std::string old_text = side_text(diff, change, false);
  const std::string new_text = side_text(diff, change, true);
  if (change.delta) {
    const tensor::Delta& d = *change.delta;
    finding.message = fmt::format("{} of {} elements differ, max |delta| {}, relative L2 {}", d.differing, d.numel,
                                  format_short(d.max_abs), format_short(d.rel_l2));
    finding.arguments = {std::to_string(d.differing), std::to_string(d.numel), format_short(d.max_abs), format_short(d.rel_l2)};
  } else if (change.kind == ChangeKind::kRemoved) {
    finding.message = "only in the base: " + old_text;
    finding.arguments = {old_text};
  } else if (change.kind == ChangeKind::kAdded) {
    finding.message = "not in the base: " + new_text;
    finding.arguments = {new_text};
  } else {
    const bool named = change.kind == ChangeKind::kShape || change.kind == ChangeKind::kDType;
    finding.message = fmt::format("{}{} -> {}", named ? std::string(to_string(change.kind)) + " " : "", old_text, new_text);
    finding.arguments = {old_text, new_text};
  }
  finding.where = {change.input, change.path, place_of(change), bytes_of(diff, change, true), ""};
  finding.related = {{0, change.path, place_of(change), bytes_of(diff, change, false), "the base"}};
  finding.properties = properties_of(diff, change);
  return finding;
}

}  // namespace ckpt::diff
