// Weights that are not floating-point tensors, or whose precision differs from that of their moments.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/training.h"
#include "lint/checks/weights/modules.h"
#include "lint/checks/weights/trained_weights.h"
#include "lint/checks/weights/weight_names.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"not-floating", "precision"};
constexpr ParamSpec kParams[] = {
    {"find", ParamType::kString, "",
     "not-floating (not a tensor, or integers) | precision (not that of the moments)", kChoices},
    {"allow", ParamType::kGlobs, "[]", "names that are skipped"},
};
constexpr KindSpec kKinds[] = {
    {"no-tensor", "value type", "find=not-floating"},
    {"integers", "dtype shape", "find=not-floating"},  // the optimizer trains a parameter of this shape
    {"integers-doubtful", "dtype shape", "find=not-floating"},
    {"precision", "count dtype moments first", "find=precision"},
    {"higher-precision", "count dtype moments first", "find=precision"},
};

// --- not floating ------------------------------------------------------------------------------------------

bool is_integral(tensor::DType dtype) {
  const auto kind = tensor::dtype_class(dtype);
  return kind == tensor::DTypeClass::kSInt || kind == tensor::DTypeClass::kUInt ||
         kind == tensor::DTypeClass::kBool;
}

// Certain for numbers, strings and containers; an object may be a tensor of an unknown class.
bool is_not_tensor(const Tree& tree, const WeightKey& key, const ModulePaths& quantized) {
  const Kind kind = tree.kind(key.value);
  if (kind == Kind::kTensor || kind == Kind::kObject || kind == Kind::kPersistent) return false;
  return !is_quantized_none(tree, key, quantized);
}

// How many parameters with moments of this shape have no floating-point weight.
std::uint64_t without_weight(const Moments& moments, const std::vector<ShapedWeight>& same) {
  const auto floating = std::count_if(same.begin(), same.end(), [](const ShapedWeight& weight) {
    return tensor::is_floating(weight.record->view.dtype);
  });
  const auto parameters = moments.parameters(same.front().record->view.shape);
  const auto taken = static_cast<std::uint64_t>(floating);
  return parameters > taken ? parameters - taken : 0;
}

// Integers of 8 bits may be a quantized weight; a bias of several dimensions is a mask (GPT-2's attn.bias).
bool may_be_meant(std::string_view name, const tensor::TensorView& view) {
  const bool bias = leaf_of(name).find("bias") != std::string_view::npos;
  if (bias ? view.shape.size() != 1 : view.shape.size() < 2) return true;
  return view.dtype != tensor::DType::kBool && tensor::bits(view.dtype) <= 8;
}

void judge_integers(const Context& context, const std::vector<Glob>& allow, const Emit& emit) {
  const Moments moments(context);
  for (const auto& [shape, same] : weights_by_shape(context)) {
    auto left = without_weight(moments, same);
    for (const auto& weight : same) {
      const auto& view = weight.record->view;
      if (!is_integral(view.dtype) || !is_weight_or_bias(weight.name) || any_match(allow, weight.name))
        continue;
      const bool certain = left > 0;
      if (!certain && may_be_meant(weight.name, view)) continue;
      left -= certain ? 1 : 0;
      Hit hit = make_hit(weight.path, certain ? "integers" : "integers-doubtful", report::PlaceKind::kTensor);
      hit.fields = {{"dtype", std::string(tensor::name(view.dtype))}, {"shape", format_shape(shape)}};
      emit(std::move(hit));
    }
  }
}

void judge_floating(const Context& context, const std::vector<Glob>& allow, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto keys = weight_keys(context.file(), context.items());
  const auto quantized = quantized_modules(keys);
  for (const auto& key : keys) {
    if (!is_weight_or_bias(key.name) || !is_not_tensor(tree, key, quantized) || any_match(allow, key.name))
      continue;
    Hit hit = make_hit(key.path, "no-tensor");
    hit.fields = {{"value", show(tree, key.value)}, {"type", value::type_name(tree, key.value)}};
    emit(std::move(hit));
  }
  judge_integers(context, allow, emit);
}

// --- precision ---------------------------------------------------------------------------------------------

// Weights of one dtype whose moments have another one.
struct Differing {
  std::uint64_t weights = 0;
  ShapedWeight first;  // of the state_dict
};
using Pair = std::pair<tensor::DType, tensor::DType>;  // of the weight, of the moment

bool names_master_weights(std::string_view text) {
  return text.find("master") != text.npos || text.find("fp32") != text.npos;
}

// Optimizers that keep the weights in higher precision themselves (Apex, Megatron) train 16-bit weights with
// float32 moments.
bool has_master_weights(const Context& context) {
  const auto& entries = context.file().entries;
  const bool listed = std::any_of(entries.begin(), entries.end(), [&](const TensorEntry& entry) {
    return names_master_weights(entry.path) && !training::weight_name(context.items(), entry.path);
  });
  if (listed) return true;
  const Tree& tree = context.file().tree;
  std::set<NodeId> seen;  // states and parameters: a hostile file lists one a million times
  for (const auto& optimizer : optimizers_of(context)) {
    if (!seen.insert(optimizer.state).second) continue;
    for (const auto& parameter : mapping_items(tree, optimizer.state)) {
      if (!seen.insert(parameter.value).second) continue;
      for (const auto& item : mapping_items(tree, parameter.value))
        if (names_master_weights(string_of(tree, item.key).value_or(""))) return true;
    }
  }
  return false;
}

// A weight with fewer bits than its moments was cast after training, and so was float64 with float32 moments.
// Other moments with fewer bits than their weights are up to optimizer-dtype.
bool was_cast(tensor::DType weight, tensor::DType moment) {
  const bool real = tensor::dtype_class(weight) == tensor::DTypeClass::kFloat &&
                    tensor::dtype_class(moment) == tensor::DTypeClass::kFloat;
  if (!real || weight == moment) return false;
  return tensor::bits(weight) < tensor::bits(moment) ||
         (weight == tensor::DType::kFloat64 && moment == tensor::DType::kFloat32);
}

void compare_shape(const std::vector<ShapedWeight>& same,
                   const std::map<tensor::DType, std::uint64_t>& moments, const std::vector<Glob>& allow,
                   std::map<Pair, Differing>& found) {
  for (const auto& [dtype, parameters] : moments) {
    const auto equal = static_cast<std::uint64_t>(
        std::count_if(same.begin(), same.end(),
                      [&, own = dtype](const ShapedWeight& w) { return w.record->view.dtype == own; }));
    // More parameters than weights of this dtype: the rest are among the weights of other dtypes.
    for (std::uint64_t left = parameters > equal ? parameters - equal : 0; const auto& weight : same) {
      if (left == 0) break;
      if (!was_cast(weight.record->view.dtype, dtype) || any_match(allow, weight.name)) continue;
      --left;
      Differing& differing = found[{weight.record->view.dtype, dtype}];
      if (differing.weights == 0 || weight.position < differing.first.position) differing.first = weight;
      ++differing.weights;
    }
  }
}

void judge_precision(const Context& context, const std::vector<Glob>& allow, const Emit& emit) {
  const Moments moments(context);
  if (!moments.any() || has_master_weights(context)) return;
  std::map<Pair, Differing> found;
  for (const auto& [shape, same] : weights_by_shape(context))
    compare_shape(same, moments.of(shape), allow, found);
  for (const auto& [dtypes, differing] : found) {
    const bool lower = tensor::bits(dtypes.first) < tensor::bits(dtypes.second);
    Hit hit =
        make_hit(differing.first.path, lower ? "precision" : "higher-precision", report::PlaceKind::kTensor);
    hit.fields = {{"count", std::to_string(differing.weights)},
                  {"dtype", std::string(tensor::name(dtypes.first))},
                  {"moments", std::string(tensor::name(dtypes.second))},
                  {"first", quote(differing.first.name)}};
    hit.properties = {{"weights", differing.weights}};
    emit(std::move(hit));
  }
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto allow = globs_of(rule, "allow");
  if (rule.string("find") == "precision")
    judge_precision(context, allow, emit);
  else
    judge_floating(context, allow, emit);
}

}  // namespace

const Check kWeightType{
    .name = "weight-type",
    .help = "weights that are not floating-point tensors, or whose precision is not that of their moments",
    .needs = kNothing,
    .params = kParams,
    .run = run,
    .kinds = kKinds};

}  // namespace ckpt::lint
