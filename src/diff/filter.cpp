#include "diff/filter.h"

#include <algorithm>

#include "base/text.h"
#include "tensor/tolerance.h"

namespace ckpt::diff {

bool matches_place(const Glob& glob, const Place& place) {
  if (matches_prefix_or_glob(glob, place.path)) return true;
  if (!place.name.empty() && matches_prefix_or_glob(glob, place.name)) return true;
  return place.key.space == Space::kWeight && matches_prefix_or_glob(glob, place.key.text);
}

template <class Predicate>
bool Filter::any_place(std::span<const std::uint32_t> row, Predicate predicate) const {
  for (std::size_t i = 0; i < row.size(); ++i)
    if (row[i] != Alignment::kNowhere && predicate(sides_[i], sides_[i].places[row[i]])) return true;
  return false;
}

bool Filter::matches(const std::vector<Glob>& globs, std::span<const std::uint32_t> row) const {
  return any_place(row, [&](const Side&, const Place& place) {
    return std::any_of(globs.begin(), globs.end(),
                       [&](const Glob& glob) { return matches_place(glob, place); });
  });
}

bool Filter::has_type(std::span<const std::uint32_t> row) const {
  return any_place(row, [&](const Side& side, const Place& place) {
    if (place.slot.kind != SlotKind::kTensor) return false;
    const auto dtype = side.record(place.slot).view.dtype;
    return std::find(options_.dtypes.begin(), options_.dtypes.end(), dtype) != options_.dtypes.end();
  });
}

bool Filter::has_shape(std::span<const std::uint32_t> row) const {
  return any_place(row, [&](const Side& side, const Place& place) {
    if (place.slot.kind != SlotKind::kTensor) return false;
    const std::string shape = format_shape(side.record(place.slot).view.shape);
    return std::any_of(options_.shapes.begin(), options_.shapes.end(),
                       [&](const Glob& glob) { return glob.matches(shape); });
  });
}

bool Filter::wants(std::span<const std::uint32_t> row) const {
  if (!options_.filters_places()) return true;
  if (!options_.dtypes.empty() && !has_type(row)) return false;
  if (!options_.shapes.empty() && !has_shape(row)) return false;
  if (!options_.only.empty() && !matches(options_.only, row)) return false;
  return options_.ignore.empty() || !matches(options_.ignore, row);
}

bool Filter::wants(Part part) const {
  if (options_.ignore_parts.contains(part)) return false;
  return options_.only_parts.empty() || options_.only_parts.contains(part);
}

tensor::Tolerance Filter::tolerance(const Side& side, const Place& place) const {
  tensor::Tolerance out = options_.tolerance;
  if (options_.close) {
    const bool is_tensor = place.slot.kind == SlotKind::kTensor;
    const auto dtype = is_tensor ? side.record(place.slot).view.dtype : tensor::DType::kFloat64;
    const bool nan_equal = out.nan_equal;
    out = tensor::default_tolerance(dtype, dtype);
    out.nan_equal = nan_equal;
  }
  for (const GlobTolerance& item : options_.tolerances) {
    if (!matches_place(item.glob, place)) continue;
    out.rtol = item.tolerance.rtol;
    out.atol = item.tolerance.atol;
  }
  return out;
}

}  // namespace ckpt::diff
