#include "checkpoint/formats/deepspeed_layout.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"
#include "tensor/tensor_view.h"
#include "value/access.h"

namespace ckpt::formats {
namespace {

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

std::uint64_t add(std::uint64_t a, std::uint64_t b, const std::string& name) {
  const auto sum = checked_add(a, b);
  if (!sum)
    fail(ErrorCode::kCorrupt,
         fmt::format("the sizes in param_shapes overflow at {}", quote(abbreviate(name, 120))));
  return *sum;
}

}  // namespace

std::vector<ParamShape> read_shapes(const value::Tree& tree, value::NodeId dict, const Limits& limits) {
  std::vector<ParamShape> shapes;
  for (const value::Item& item : value::mapping_items(tree, dict)) {
    if (!value::is_kind(tree, item.key, value::Kind::kString))
      fail(ErrorCode::kCorrupt, "param_shapes has a name that is not text");
    ParamShape shape;
    shape.name = tree.text(item.key);
    const auto sizes = value::sequence(tree, item.value);
    bool valid = value::is_sequence(tree, item.value) && sizes.size() <= limits.dimensions;
    for (std::size_t i = 0; valid && i < sizes.size(); ++i) {
      const auto size = value::integer_of(tree, sizes[i]);
      valid = size.has_value();
      shape.sizes.push_back(size.value_or(0));
    }
    const auto numel = valid ? tensor::checked_numel(shape.sizes) : std::nullopt;
    if (!numel)
      fail(ErrorCode::kCorrupt, fmt::format("param_shapes has sizes for {} that no tensor can have",
                                            quote(abbreviate(shape.name, 120))));
    shape.numel = *numel;
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

GroupLayout::GroupLayout(std::vector<ParamShape> params, std::span<const std::uint64_t> paddings,
                         bool by_param, std::uint64_t world)
    : params_(std::move(params)), by_param_(by_param), world_(world) {
  offsets_.reserve(params_.size());
  for (std::size_t i = 0; i < params_.size(); ++i) {
    const ParamShape& param = params_[i];
    offsets_.push_back(used_);
    used_ = add(used_, by_param_ ? divide_up(param.numel, world_) : param.numel, param.name);
    if (i < paddings.size()) used_ = add(used_, paddings[i], param.name);
  }
}

std::string GroupLayout::check(std::span<const std::optional<std::uint64_t>> counts) const {
  std::uint64_t total = 0;
  bool all = true;
  std::optional<std::uint64_t> piece;  // of every rank but the last
  for (std::size_t rank = 0; rank < counts.size(); ++rank) {
    all = all && counts[rank].has_value();
    if (!counts[rank]) continue;
    if (by_param_ && *counts[rank] != used_)
      return fmt::format("rank {} has {} elements of it, the parameters need {}", rank, *counts[rank], used_);
    if (!by_param_ && rank + 1 < counts.size()) {
      if (piece && *piece != *counts[rank])
        return fmt::format("rank {} has {} elements of it, another rank {}", rank, *counts[rank], *piece);
      piece = *counts[rank];
    }
    const auto sum = checked_add(total, *counts[rank]);
    if (!sum) return "the ranks have more elements of it than any file can hold";
    total = *sum;
  }
  if (by_param_ || !all) return {};
  // As zero_to_fp32.py: the padding is up to 2 * world, and saved in part.
  if (total < used_ || divide_up(total, 2 * world_) != divide_up(used_, 2 * world_))
    return fmt::format("the ranks have {} elements of it, the parameters {}", total, used_);
  return {};
}

std::vector<std::uint64_t> GroupLayout::starts(std::span<const std::optional<std::uint64_t>> counts) const {
  std::optional<std::uint64_t> piece;
  for (std::size_t rank = 0; rank + 1 < counts.size() && !piece; ++rank) piece = counts[rank];
  if (!piece && counts.size() > 1) {
    // Only the last one is there: the others share the rest in equal pieces, which only padding could tell.
    return {};
  }
  std::vector<std::uint64_t> starts{0};
  for (std::size_t rank = 0; rank < counts.size(); ++rank) {
    const std::uint64_t count = counts[rank].value_or(piece.value_or(0));
    const auto end = checked_add(starts.back(), count);
    if (!end) return {};
    starts.push_back(*end);
  }
  return starts;
}

std::vector<RankSlice> GroupLayout::slices(std::size_t param, std::span<const std::uint64_t> starts) const {
  std::vector<RankSlice> slices;
  std::uint64_t left = params_[param].numel;
  if (by_param_) {
    const std::uint64_t piece = divide_up(left, world_);
    for (std::size_t rank = 0; left > 0; ++rank) {
      slices.push_back({rank, offsets_[param], std::min(piece, left)});
      left -= slices.back().count;
    }
    return slices;
  }
  std::uint64_t at = offsets_[param];
  auto rank = static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), at) - starts.begin());
  for (; left > 0 && rank < starts.size(); ++rank) {  // starts[rank] is the end of rank - 1
    const std::uint64_t count = std::min(starts[rank] - at, left);
    if (count == 0) continue;
    slices.push_back({rank - 1, at - starts[rank - 1], count});
    at += count;
    left -= count;
  }
  if (left > 0) slices.clear();
  return slices;
}

}  // namespace ckpt::formats
