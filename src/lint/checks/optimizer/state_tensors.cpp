#include "lint/checks/optimizer/state_tensors.h"

#include <algorithm>
#include <utility>

#include "training/opened.h"

namespace ckpt::lint {

StateTensors::StateTensors(const Context& context, const Rule& rule) : context_(context) {
  for (const auto entry : context.selected(rule))
    entries_.emplace(context.file().entries[entry].record, entry);
}

std::optional<std::size_t> StateTensors::entry(NodeId state, std::string_view key) const {
  const Tree& tree = context_.file().tree;
  const NodeId node = member(tree, state, key);
  if (!is_kind(tree, node, Kind::kTensor)) return std::nullopt;
  const auto found = entries_.find(tree.payload(node));
  return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

const tensor::Stats* StateTensors::stats(NodeId state, std::string_view key) const {
  const auto at = entry(state, key);
  const auto* stats = at ? context_.stats(*at) : nullptr;
  return stats != nullptr && stats->decoded ? stats : nullptr;
}

bool StateTensors::is_zero(NodeId state, std::string_view key) const {
  const auto* found = stats(state, key);
  return found != nullptr && found->numel > 0 && found->zeros == found->numel;
}

std::optional<tensor::BoundJob> StateTensors::bound(NodeId state, std::string_view value,
                                                    std::string_view limit) const {
  const auto *values = stats(state, value), *limits = stats(state, limit);
  if (values == nullptr || limits == nullptr || values->nonfinite() > 0 || limits->nonfinite() > 0)
    return std::nullopt;
  const auto job = [&](std::string_view key) {
    const auto& record = context_.file().record_of(context_.file().entries[*entry(state, key)]);
    return tensor::StatsJob{&record.view, readable_storage(context_.file(), record)};
  };
  const tensor::BoundJob pair{job(value), job(limit), {}};
  const auto real = [](const tensor::StatsJob& side) {
    return side.storage != nullptr && tensor::dtype_class(side.view->dtype) == tensor::DTypeClass::kFloat;
  };
  if (!real(pair.value) || !real(pair.limit) || pair.value.view->shape != pair.limit.view->shape)
    return std::nullopt;
  return pair;
}

namespace {

struct Precision {
  double epsilon = 0, least = 0;
};

constexpr std::pair<tensor::DType, Precision> kPrecisions[] = {
    {tensor::DType::kFloat64, {0x1p-53, 0x1p-1022}},
    {tensor::DType::kFloat32, {0x1p-24, 0x1p-126}},
    {tensor::DType::kBFloat16, {0x1p-8, 0x1p-126}},
    {tensor::DType::kFloat16, {0x1p-11, 0x1p-14}},
};

// 8-bit floats have no precision that a bound survives.
Precision precision_of(tensor::DType dtype) {
  for (const auto& [known, precision] : kPrecisions)
    if (known == dtype) return precision;
  return {1.0, 1.0};
}

}  // namespace

double epsilon_of(const tensor::BoundJob& job) {
  return std::max(precision_of(job.value.view->dtype).epsilon, precision_of(job.limit.view->dtype).epsilon);
}

double least_normal(const tensor::BoundJob& job) { return precision_of(job.limit.view->dtype).least; }

std::optional<Betas> betas_of(const Tree& tree, NodeId group) {
  const auto pair = sequence(tree, member(tree, group, "betas"));
  if (pair.size() != 2) return std::nullopt;
  const auto first = number_of(tree, pair[0]), second = number_of(tree, pair[1]);
  const auto in_range = [](double beta) { return beta >= 0 && beta < 1; };
  if (!first || !second || !in_range(*first) || !in_range(*second)) return std::nullopt;
  Betas betas{*first, *first, *second};
  for (const auto key : {"base_momentum", "max_momentum"})
    if (const auto end = number_of(tree, member(tree, group, key)); end && in_range(*end)) {
      betas.first_low = std::min(betas.first_low, *end);
      betas.first_high = std::max(betas.first_high, *end);
    }
  return betas;
}

}  // namespace ckpt::lint
