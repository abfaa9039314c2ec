#include "lint/checks/training.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"

namespace ckpt::lint {

std::span<const Optimizer> optimizers_of(const Context& context) { return context.training().optimizers; }

std::span<const Scheduler> schedulers_of(const Context& context) { return context.training().schedulers; }

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

}  // namespace ckpt::lint
