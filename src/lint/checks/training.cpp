#include "lint/checks/training.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"

namespace ckpt::lint {

std::string OptimizerAt::group_path(std::size_t group) const {
  return index_path(key_path(path, "param_groups"), group);
}

std::string OptimizerAt::state_path(const Tree& tree, NodeId id) const {
  std::string result = key_path(path, "state");
  value::append_key(result, tree, id);
  return result;
}

namespace {

// A file within Limits::paths (places, shared parts counted again) has fewer. One beyond it lists an
// optimizer a million times: security-limits speaks, and the status is 2.
constexpr std::size_t kMostVisits = 4'000'000;

// What one walk over an optimizer visits.
std::size_t visits(const Tree& tree, const OptimizerAt& optimizer) {
  std::size_t count = 1;
  for (const auto& item : mapping_items(tree, optimizer.state))
    count += 1 + mapping_items(tree, item.value).size();
  for (const NodeId group : optimizer.groups)
    count += 1 + mapping_items(tree, group).size() + sequence(tree, member(tree, group, "params")).size();
  return count;
}

}  // namespace

std::vector<OptimizerAt> optimizers_of(const Context& context) {
  std::vector<OptimizerAt> result;
  const auto& items = context.items();
  if (items.kind != training::FileKind::kTrainer) return result;
  const Tree& tree = context.file().tree;
  const auto states = sequence(tree, items.optimizer_states);
  std::size_t left = kMostVisits;
  for (std::size_t i = 0; i < states.size(); ++i) {
    OptimizerAt optimizer{index_path("optimizer_states", i), states[i], member(tree, states[i], "state"),
                          sequence(tree, member(tree, states[i], "param_groups"))};
    const auto count = visits(tree, optimizer);
    if (count > left) break;
    left -= count;
    result.push_back(std::move(optimizer));
  }
  return result;
}

std::string id_text(const Tree& tree, NodeId id) { return value::repr(tree, id, kWholeName); }

std::map<std::string, std::size_t> groups_by_id(const Tree& tree, const OptimizerAt& optimizer) {
  std::map<std::string, std::size_t> groups;
  for (std::size_t g = 0; g < optimizer.groups.size(); ++g)
    for (const NodeId id : sequence(tree, member(tree, optimizer.groups[g], "params")))
      groups.emplace(id_text(tree, id), g);
  return groups;
}

std::vector<ScalerAt> scalers_of(const Tree& tree) {
  static constexpr std::string_view kFields[] = {"scale", "growth_factor", "backoff_factor",
                                                 "growth_interval", "_growth_tracker"};
  std::vector<ScalerAt> result;
  if (tree.root() == kNoNode) return result;
  for (const auto& item : mapping_items(tree, tree.root())) {
    if (mapping_items(tree, item.value).size() > 16) continue;  // state_dicts
    const auto there = std::count_if(std::begin(kFields), std::end(kFields), [&](const auto field) {
      return member(tree, item.value, field) != kNoNode;
    });
    if (there < 4) continue;
    std::string path;
    value::append_key(path, tree, item.key);
    result.push_back({std::move(path), item.value});
  }
  return result;
}

std::vector<SchedulerAt> schedulers_of(const Context& context) {
  std::vector<SchedulerAt> result;
  const auto& items = context.items();
  if (items.kind != training::FileKind::kTrainer) return result;
  const Tree& tree = context.file().tree;
  const auto states = sequence(tree, items.lr_schedulers);
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (!is_mapping(tree, states[i])) continue;
    const NodeId inner = member(tree, states[i], "_schedulers");
    const auto path = index_path("lr_schedulers", i);
    result.push_back({path, states[i], i, inner != kNoNode});
    const auto parts = sequence(tree, inner);
    for (std::size_t p = 0; p < parts.size(); ++p)
      if (is_mapping(tree, parts[p]))
        result.push_back({index_path(key_path(path, "_schedulers"), p), parts[p], i, false});
  }
  return result;
}

bool is_set(const Tree& tree, NodeId group, std::string_view key) {
  const NodeId node = member(tree, group, key);
  return node != kNoNode && !is_kind(tree, node, Kind::kNone) && number_of(tree, node) != 0.0;
}

Scalars::Scalars(const Context& context, const Rule& rule) : context_(context) {
  for (const auto index : context.selected(rule)) entries_.emplace(context.file().entries[index].path, index);
}

std::optional<double> Scalars::value(NodeId node, std::string_view path) const {
  if (!is_kind(context_.file().tree, node, Kind::kTensor)) return number_of(context_.file().tree, node);
  const auto entry = entries_.find(path);
  const auto* stats = entry == entries_.end() ? nullptr : context_.stats(entry->second);
  if (stats == nullptr || !stats->decoded || stats->numel != 1) return std::nullopt;
  return stats->nan > 0 ? std::nan("") : tensor::to_double(stats->max);
}

std::string show_scalar(const Checkpoint& file, NodeId node, std::optional<double> value) {
  if (!value || !is_kind(file.tree, node, Kind::kTensor)) return show(file.tree, node);
  const bool single = file.tensor_records[file.tree.payload(node)].view.dtype == tensor::DType::kFloat32;
  return single ? fmt::format("tensor({})", static_cast<float>(*value))
                : "tensor(" + format_double(*value) + ")";
}

std::optional<EpochsDone> epochs_done(const Context& context) {
  const auto epoch = number_of(context.file().tree, context.items().epoch);
  if (!epoch) return std::nullopt;
  const auto& version = context.items().version;
  const bool next = version && !version->at_least(1, 6);
  return EpochsDone{std::max(0.0, next ? *epoch - 1 : *epoch), next ? *epoch : *epoch + 1};
}

}  // namespace ckpt::lint
