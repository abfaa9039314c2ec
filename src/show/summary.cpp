#include "show/summary.h"

#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "tensor/stats.h"
#include "training/types.h"
#include "value/path.h"

namespace ckpt::show {
namespace {

using value::Item;
using value::Kind;
using value::kNoNode;
using value::NodeId;
using value::Tree;

bool is(const Tree& tree, NodeId node, Kind kind) { return node != kNoNode && tree.kind(node) == kind; }

std::optional<std::int64_t> integer(const Tree& tree, NodeId node) {
  if (!is(tree, node, Kind::kInt)) return std::nullopt;
  return tree.integer(node);
}

// --- amounts --------------------------------------------------------------------------------------------

void count(const Opened& input, Summary& out) {
  const Checkpoint& file = *input.file;
  std::vector<std::uint32_t> seen(
      file.storages.size());  // per storage: a bit for each section, bit 31 for the file
  for (const TensorEntry& entry : file.entries) {
    const tensor::TensorView& view = file.record_of(entry).view;
    const auto section = training::section_of(input.items, entry.path);
    const auto new_bytes = [&](unsigned bit) -> std::uint64_t {
      if (!view.has_storage() || (seen[view.storage] >> bit & 1u) != 0) return 0;
      seen[view.storage] |= 1u << bit;
      return file.storages[view.storage].size;
    };
    const auto add = [&](Amount& amount, std::uint64_t bytes) {
      if (!entry.part) {
        ++amount.tensors;
        amount.elements += view.numel;
      }
      amount.bytes += bytes;
    };
    const std::uint64_t in_section = new_bytes(static_cast<unsigned>(section));
    add(out.by_section[section], in_section);
    add(out.all, new_bytes(31));
    if (section == training::Section::kWeights)
      add(out.by_dtype[std::string(tensor::name(view.dtype))], in_section);
  }
  out.storages = file.storages.size();
}

OptimizerSummary summarize_optimizer(const Checkpoint& file, NodeId node) {
  const Tree& tree = file.tree;
  OptimizerSummary out;
  const NodeId state = tree.get(node, "state");
  out.param_groups = tree.get(node, "param_groups");
  const auto groups =
      is(tree, out.param_groups, Kind::kList) ? tree.elements(out.param_groups) : std::span<const NodeId>{};
  out.groups = groups.size();
  for (const NodeId group : groups)
    if (is(tree, group, Kind::kDict))
      if (const NodeId params = tree.get(group, "params"); params != kNoNode)
        out.parameters += tree.elements(params).size();
  NodeId first = kNoNode;
  if (is(tree, state, Kind::kDict)) {
    out.states = tree.items(state).size();
    if (out.states > 0) first = tree.items(state)[0].value;
  }
  out.type = optimizer_type(tree, node);
  if (is(tree, first, Kind::kDict)) out.step = scalar_value(file, tree.get(first, "step"));
  return out;
}

SchedulerSummary summarize_scheduler(const Tree& tree, NodeId node) {
  SchedulerSummary out;
  out.type = scheduler_type(tree, node);
  out.last_epoch = integer(tree, tree.get(node, "last_epoch"));
  const NodeId last = tree.get(node, "_last_lr");
  if (is(tree, last, Kind::kList))
    for (const NodeId lr : tree.elements(last)) {
      if (tree.kind(lr) == Kind::kFloat) out.last_lr.push_back(tree.real(lr));
      if (tree.kind(lr) == Kind::kInt) out.last_lr.push_back(static_cast<double>(tree.integer(lr)));
    }
  return out;
}

CallbackSummary summarize_callback(const Tree& tree, const Item& item) {
  CallbackSummary out;
  out.state = item.value;
  if (tree.kind(item.key) == Kind::kString) {
    out.key = tree.text(item.key);
    out.name = out.key.substr(0, out.key.find('{'));
  } else if (tree.kind(item.key) == Kind::kGlobal) {  // Lightning < 1.5 keys callbacks by class
    out.key = tree.qualified_name(item.key);
    out.name = tree.text(item.key);
  } else {
    out.key = out.name = value::repr(tree, item.key, 80);
  }
  return out;
}

}  // namespace

std::optional<double> scalar_value(const Checkpoint& checkpoint, NodeId node) {
  if (node == kNoNode) return std::nullopt;
  const Tree& tree = checkpoint.tree;
  if (tree.kind(node) == Kind::kInt) return static_cast<double>(tree.integer(node));
  if (tree.kind(node) == Kind::kFloat) return tree.real(node);
  if (tree.kind(node) != Kind::kTensor) return std::nullopt;
  const TensorRecord& record = checkpoint.tensor_records[tree.payload(node)];
  const tensor::Storage* storage = readable_storage(checkpoint, record);
  if (storage == nullptr || record.view.numel != 1) return std::nullopt;
  const tensor::Stats stats = tensor::compute_stats(record.view, *storage);
  if (stats.posinf > 0) return HUGE_VAL;
  if (stats.neginf > 0) return -HUGE_VAL;
  return tensor::to_double(stats.min);
}

Summary summarize(const Opened& input) {
  const Checkpoint& file = *input.file;
  const Tree& tree = file.tree;
  const training::Items& items = input.items;
  Summary out;
  count(input, out);
  out.epoch = integer(tree, items.epoch);
  out.global_step = integer(tree, items.global_step);
  if (is(tree, items.optimizer_states, Kind::kList))
    for (const NodeId node : tree.elements(items.optimizer_states))
      if (is(tree, node, Kind::kDict)) out.optimizers.push_back(summarize_optimizer(file, node));
  if (is(tree, items.lr_schedulers, Kind::kList))
    for (const NodeId node : tree.elements(items.lr_schedulers))
      if (is(tree, node, Kind::kDict)) out.schedulers.push_back(summarize_scheduler(tree, node));
  if (is(tree, items.callbacks, Kind::kDict))
    for (const Item& item : tree.items(items.callbacks))
      out.callbacks.push_back(summarize_callback(tree, item));
  return out;
}

std::string describe(const Opened& input) {
  const Tree& tree = input.file->tree;
  const training::Items& items = input.items;
  std::string text;
  if (items.kind == training::FileKind::kTrainer)
    text = items.version ? fmt::format("Lightning {}", one_line(items.version->text))
                         : "Lightning, version unknown";
  else
    text = training::describe(items.kind);
  if (const auto epoch = integer(tree, items.epoch)) text += fmt::format(" · epoch {}", *epoch);
  if (const auto step = integer(tree, items.global_step)) text += fmt::format(" · step {}", *step);
  return text + " · " + format_bytes(input.file->file_size);
}

}  // namespace ckpt::show
