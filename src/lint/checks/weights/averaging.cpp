// What WeightAveraging saves: the averaged weights in state_dict, the live ones in current_model_state.
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/training.h"
#include "tensor/delta.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"incomplete", "identical"};
constexpr ParamSpec kParams[] = {
    {"find", ParamType::kString, "", "incomplete | identical", kChoices},
};
constexpr KindSpec kKinds[] = {
    {"missing", "present", "find=incomplete"},
    {"shapes-differ", "count first live averaged", "find=incomplete"},
    {"count", "averages", "find=incomplete"},
    {"keys-missing", "missing first-missing", "find=incomplete"},
    {"keys-extra", "extra first-extra", "find=incomplete"},
    {"keys-differ", "missing first-missing extra first-extra", "find=incomplete"},
    {"identical", "count averages", "find=identical"},
};

// --- incomplete: callbacks/weight_averaging.py writes and reads the two keys together ----------------------

using Keys = std::map<std::string_view, NodeId>;

Keys keys_of(const Tree& tree, NodeId dict) {
  Keys keys;
  for (const auto& item : mapping_items(tree, dict))
    if (const auto key = string_of(tree, item.key)) keys.emplace(*key, item.value);
  return keys;
}

std::uint64_t keys_without(const Keys& from, const Keys& in, std::string& first) {
  std::uint64_t missing = 0;
  for (const auto& [key, value] : from)
    if (!in.contains(key)) {
      if (missing == 0) first = key;
      ++missing;
    }
  return missing;
}

// load_state_dict of the live model raises if any shape differs.
void find_other_shapes(const Checkpoint& file, const Keys& averaged, const Keys& current, const Emit& emit) {
  std::uint64_t count = 0;
  std::vector<Field> fields;
  for (const auto& [key, node] : averaged) {
    const auto other = current.find(key);
    if (other == current.end() || !is_kind(file.tree, node, Kind::kTensor) ||
        !is_kind(file.tree, other->second, Kind::kTensor))
      continue;
    const auto& shape = file.tensor_records[file.tree.payload(node)].view.shape;
    const auto& live = file.tensor_records[file.tree.payload(other->second)].view.shape;
    if (shape == live) continue;
    ++count;
    if (count > 1) continue;
    fields = {{"first", quote(key)}, {"live", format_shape(live)}, {"averaged", format_shape(shape)}};
  }
  if (count == 0) return;
  Hit hit = make_hit(keys::kCurrentModelState, "shapes-differ", report::PlaceKind::kObject);
  hit.fields = std::move(fields);
  hit.fields.push_back({"count", std::to_string(count)});
  hit.properties = {{"tensors", count}};
  emit(std::move(hit));
}

// "8"; "-1"; "nan"; "0.5"
std::string show_count(double value) {
  const bool whole = std::abs(value) < 1e15 && value == std::floor(value);
  return whole ? fmt::format("{:.0f}", value) : format_double(value);
}

// torch.optim.swa_utils.AveragedModel counts up from 0 and gives the next weights 1 / (n_averaged + 1).
void find_bad_count(const Context& context, const Scalars& scalars, const Emit& emit) {
  const std::string path = "averaging_state.n_averaged";
  const NodeId node = member(context.file().tree, context.items().averaging_state, "n_averaged");
  const auto count = scalars.value(node, path);
  if (!count || (std::isfinite(*count) && *count >= 0)) return;
  Hit hit = make_hit(path, "count");
  hit.fields = {{"averages", show_count(*count)}};
  hit.properties = {{"averages", *count}};
  emit(std::move(hit));
}

void find_incomplete(const Context& context, const Scalars& scalars, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto& items = context.items();
  const NodeId live = items.current_model_state, state = items.averaging_state;
  if (live == kNoNode && state == kNoNode) return;
  if (live == kNoNode || state == kNoNode) {
    const bool no_live = live == kNoNode;
    Hit hit = make_hit(no_live ? keys::kCurrentModelState : keys::kAveragingState, "missing",
                       report::PlaceKind::kProperty);
    hit.fields = {{"present", std::string(no_live ? keys::kAveragingState : keys::kCurrentModelState)}};
    emit(std::move(hit));
    return;
  }
  std::string extra, lost;
  const Keys averaged = keys_of(tree, items.state_dict), current = keys_of(tree, live);
  find_other_shapes(context.file(), averaged, current, emit);
  find_bad_count(context, scalars, emit);
  const auto more = keys_without(current, averaged, extra), fewer = keys_without(averaged, current, lost);
  if (more == 0 && fewer == 0) return;
  const std::string_view kind = more == 0 ? "keys-missing" : fewer == 0 ? "keys-extra" : "keys-differ";
  Hit hit = make_hit(keys::kCurrentModelState, kind, report::PlaceKind::kObject);
  hit.fields = {{"missing", std::to_string(fewer)},
                {"first-missing", quote(lost)},
                {"extra", std::to_string(more)},
                {"first-extra", quote(extra)}};
  hit.properties = {{"missing", fewer}, {"extra", more}};
  emit(std::move(hit));
}

// --- identical ---------------------------------------------------------------------------------------------

const TensorRecord* floating(const Checkpoint& file, NodeId node) {
  if (!is_kind(file.tree, node, Kind::kTensor)) return nullptr;
  const auto& record = file.tensor_records[file.tree.payload(node)];
  return tensor::is_floating(record.view.dtype) ? &record : nullptr;
}

// Bit for bit; also false if one of them cannot be read.
bool same(const Checkpoint& file, const TensorRecord& a, const TensorRecord& b) {
  const auto *x = readable_storage(file, a), *y = readable_storage(file, b);
  if (x == nullptr || y == nullptr) return false;
  try {
    return tensor::same_elements(a.view, *x, b.view, *y);
  } catch (const Error&) {
    return false;
  }
}

void find_identical(const Context& context, const Scalars& scalars, const Emit& emit) {
  const auto& file = context.file();
  const auto& items = context.items();
  const auto averaged =
      scalars.value(member(file.tree, items.averaging_state, "n_averaged"), "averaging_state.n_averaged");
  if (!averaged || *averaged <= 1) return;  // the first average is a copy
  const Keys live = keys_of(file.tree, items.current_model_state);
  std::uint64_t compared = 0;
  for (const auto& key : weight_keys(file, items)) {
    const auto other = live.find(key.name);
    const auto* a = floating(file, key.value);
    const auto* b = other == live.end() ? nullptr : floating(file, other->second);
    if (a == nullptr || b == nullptr) continue;
    if (!same(file, *a, *b)) return;
    ++compared;
  }
  if (compared == 0) return;
  Hit hit = make_hit(keys::kCurrentModelState, "identical", report::PlaceKind::kObject);
  hit.fields = {{"count", std::to_string(compared)}, {"averages", show_count(*averaged)}};
  hit.properties = {{"tensors", compared}, {"averages", *averaged}};
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  if (context.items().kind != training::FileKind::kTrainer) return;
  const Scalars scalars(context, rule);
  if (rule.string("find") == "incomplete")
    find_incomplete(context, scalars, emit);
  else
    find_identical(context, scalars, emit);
}

}  // namespace

const Check kAveraging{.name = "averaging",
                       .help = "averaged and live weights that do not match, or are identical",
                       .needs = kStats,
                       .params = kParams,
                       .run = run,
                       .kinds = kKinds};

}  // namespace ckpt::lint
