#include "diff/explain.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/text.h"
#include "tensor/explain.h"

namespace ckpt::diff {
namespace {

using tensor::TensorRef;

// Moving elements keeps the norm, up to the order of the sums.
constexpr double kSameNorm = 1e-9;
// A factor nearer to 1 than this is rounding, not intent.
constexpr double kNoFactor = 1e-4;

// The distance from 1 to the next number of a floating type.
double epsilon(tensor::DType dtype) {
  using tensor::DType;
  if (dtype == DType::kFloat64 || dtype == DType::kComplex128) return 0x1p-52;
  if (dtype == DType::kFloat32 || dtype == DType::kComplex64) return 0x1p-23;
  if (dtype == DType::kFloat16 || dtype == DType::kComplex32) return 0x1p-10;
  if (dtype == DType::kBFloat16) return 0x1p-7;
  if (dtype == DType::kFloat8E4M3Fn || dtype == DType::kFloat8E4M3Fnuz) return 0x1p-3;
  return dtype == DType::kFloat8E5M2 || dtype == DType::kFloat8E5M2Fnuz ? 0x1p-2 : 1;
}

// A relative difference that may be rounding: then units in the last place say how much.
bool may_be_rounding(const tensor::Delta& delta, tensor::DType dtype) {
  return delta.rel_l2 <= std::min(8 * epsilon(dtype), 0.5);
}

// A factor keeps the direction, up to the rounding of each element; sums in double are exact to 1e-12.
bool may_be_scaled(const tensor::Delta& delta, tensor::DType dtype) {
  return 1 - std::abs(delta.cosine) <= std::max(1e-12, 8 * epsilon(dtype) * epsilon(dtype));
}

struct Pair {
  TensorRef old_tensor, new_tensor;
  bool readable() const { return old_tensor.storage != nullptr && new_tensor.storage != nullptr; }
};

// Codes of channels with scales of their own: no cause of tensor/explain.h is about those.
bool is_channelwise(const tensor::TensorView& view) {
  return view.quantizer && view.quantizer->scheme == tensor::Quantizer::Scheme::kPerChannel;
}

TensorRef ref_of(const Side& side, const Slot& slot) {
  if (slot.kind != SlotKind::kTensor) return {};
  const TensorRecord& record = side.record(slot);
  if (record.layout != "strided" || is_channelwise(record.view)) return {};
  return {&record.view, readable_storage(side.file(), record)};
}

Pair pair_of(const Diff& diff, const Change& change) {
  return {ref_of(diff.sides[0], change.old_slot), ref_of(diff.sides[change.input], change.new_slot)};
}

void set_cause(Change& change, Cause cause, std::string text) {
  Detail detail = change.detail ? *change.detail : Detail{};
  detail.cause = cause;
  detail.text = std::move(text);
  change.detail = std::make_shared<const Detail>(std::move(detail));
}

// As many digits as tell it from 1, and two at least: tensors scaled alike get one text.
std::string spell_factor(double factor) {
  const std::string text = format_short(factor);
  if (text != "1") return text;
  const int digits = 2 - static_cast<int>(std::floor(std::log10(std::abs(factor - 1))));
  return fmt::format("{:.{}g}", factor, digits);
}

std::string describe(const std::vector<std::size_t>& permutation) {
  if (permutation.size() == 2) return "transposed";
  std::string text;
  for (const std::size_t axis : permutation) text += fmt::format("{}{}", text.empty() ? "" : ", ", axis);
  return fmt::format("axes permuted to ({})", text);
}

void explain_dtype(Change& change, const Pair& pair) {
  if (pair.old_tensor.view->shape != pair.new_tensor.view->shape) return;
  const auto name = tensor::name(pair.new_tensor.view->dtype);
  if (tensor::is_cast(pair.old_tensor, pair.new_tensor))
    set_cause(change, Cause::kCast, fmt::format("the base cast to {}, nothing else", name));
}

void explain_shape(Change& change, const Pair& pair) {
  if (const auto permutation = tensor::find_transposition(pair.old_tensor, pair.new_tensor))
    return set_cause(change, Cause::kTransposed, describe(*permutation));
  if (const auto rows = tensor::common_rows(pair.old_tensor, pair.new_tensor))
    set_cause(change, Cause::kResized, fmt::format("the first {} rows are equal", *rows));
}

void explain_values(Change& change, const Pair& pair) {
  const tensor::Delta& delta = *change.delta;
  if (!delta.decoded || pair.old_tensor.view->dtype != pair.new_tensor.view->dtype) return;
  const double scale = std::max(delta.l2_old, delta.l2_new);
  if (std::abs(delta.l2_old - delta.l2_new) <= kSameNorm * scale) {
    if (const auto permutation = tensor::find_transposition(pair.old_tensor, pair.new_tensor))
      return set_cause(change, Cause::kTransposed, describe(*permutation));
    if (const auto rows = tensor::find_permutation(pair.old_tensor, pair.new_tensor))
      return set_cause(change, Cause::kPermuted,
                       fmt::format("{} permuted, {} of {} moved", rows->axis == 0 ? "rows" : "columns",
                                   rows->moved, rows->length));
  }
  const tensor::DType dtype = pair.old_tensor.view->dtype;
  if (may_be_rounding(delta, dtype) && tensor::has_ulp_distance(dtype, dtype))
    change.max_ulp = tensor::max_ulp_distance(pair.old_tensor, pair.new_tensor);
  if (!may_be_scaled(delta, dtype)) return;
  const auto factor = tensor::find_scale(pair.old_tensor, pair.new_tensor);
  if (factor && std::abs(*factor - 1) > kNoFactor)
    set_cause(change, Cause::kScaled, "scaled by " + spell_factor(*factor));
}

void explain_change(const Diff& diff, Change& change) {
  if (change.kind != ChangeKind::kDType && change.kind != ChangeKind::kShape &&
      change.kind != ChangeKind::kValues)
    return;
  const Pair pair = pair_of(diff, change);
  if (!pair.readable()) return;
  if (change.kind == ChangeKind::kDType) return explain_dtype(change, pair);
  if (change.kind == ChangeKind::kShape) return explain_shape(change, pair);
  explain_values(change, pair);
}

// A cast explains the values as well as the dtype.
void carry_casts(std::vector<Change>& changes) {
  std::map<std::pair<std::uint32_t, std::string_view>, std::shared_ptr<const Detail>>
      casts;  // by input and path
  for (const Change& change : changes)
    if (change.kind == ChangeKind::kDType && change.detail && change.detail->cause == Cause::kCast)
      casts.emplace(std::pair(change.input, change.path), change.detail);
  for (Change& change : changes) {
    const auto found =
        change.kind == ChangeKind::kValues ? casts.find({change.input, change.path}) : casts.end();
    if (found != casts.end()) change.detail = found->second;
  }
}

// --- merged adapters -----------------------------------------------------------------------------------

// "layers.0.q_proj.lora_A.weight" -> "layers.0.q_proj": peft's and loralib's names, with or without an
// adapter's name.
struct Adapter {
  const Change* a = nullptr;
  const Change* b = nullptr;
};

std::string_view adapted_module(std::string_view name, std::string_view part) {
  const std::size_t at = name.find(part);
  if (at == name.npos || at == 0 || name[at - 1] != '.') return {};
  const std::size_t end = at + part.size();
  return end == name.size() || name[end] == '.' ? name.substr(0, at - 1) : std::string_view{};
}

bool is_weight_of(std::string_view name, std::string_view module) {
  if (!name.starts_with(module)) return false;
  const std::string_view rest = name.substr(module.size());
  return rest == ".weight" || rest == ".base_layer.weight";
}

void explain_merges(Diff& diff, std::uint32_t input) {
  std::unordered_map<std::string_view, Adapter> adapters;
  for (const Change& change : diff.changes) {
    if (change.input != input || change.kind != ChangeKind::kRemoved || change.part != Part::kKeys) continue;
    if (const auto module = adapted_module(change.name, "lora_A"); !module.empty())
      adapters[module].a = &change;
    if (const auto module = adapted_module(change.name, "lora_B"); !module.empty())
      adapters[module].b = &change;
  }
  if (adapters.empty()) return;
  for (Change& change : diff.changes) {
    if (change.input != input || change.kind != ChangeKind::kValues || change.part != Part::kWeights)
      continue;
    const std::size_t dot = change.name.rfind('.');
    if (dot == change.name.npos) continue;
    const auto found = adapters.find(change.name.substr(0, dot));
    if (found == adapters.end() || !is_weight_of(change.name, found->first)) continue;
    const auto& [a, b] = found->second;
    if (a == nullptr || b == nullptr) continue;
    const Pair pair = pair_of(diff, change);
    const TensorRef down = ref_of(diff.sides[0], a->old_slot);
    const TensorRef up = ref_of(diff.sides[0], b->old_slot);
    if (!pair.readable() || down.storage == nullptr || up.storage == nullptr) continue;
    if (const auto update = tensor::find_low_rank_update(pair.old_tensor, pair.new_tensor, down, up))
      set_cause(change, Cause::kLowRank,
                fmt::format("+ {} lora_B @ lora_A of the base (rank {})", format_short(update->scale),
                            update->rank));
  }
}

}  // namespace

void explain_changes(Diff& diff, std::size_t jobs) {
  parallel_for(diff.changes.size(), jobs, [&](std::size_t i) { explain_change(diff, diff.changes[i]); });
  carry_casts(diff.changes);
  for (std::uint32_t input = 1; input < diff.sides.size(); ++input) explain_merges(diff, input);
}

}  // namespace ckpt::diff
