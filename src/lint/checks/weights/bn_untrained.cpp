// Batch norm layers whose running statistics still have their initial values.
#include <fmt/format.h>

#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/checks/weights/trained_weights.h"
#include "training/scalar.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"never", "reset"};
constexpr ParamSpec kParams[] = {
    {"find", ParamType::kString, "",
     "never (steps were made, but no batch was counted) | reset (batches were counted, or weight and bias "
     "trained)",
     kChoices},
};
constexpr KindSpec kKinds[] = {
    {"untrained", "layer step batches", "find=never"},
    {"uncounted", "layer step", "find=never"},  // the layer has no num_batches_tracked
    {"reset", "layer step batches", "find=reset"},
    {"reset-trained", "layer step batches",
     "find=reset"},  // the optimizer has moments of its weight and bias
};
constexpr std::string_view kMean = "running_mean";
constexpr std::string_view kVariance = "running_var";

struct Layer {
  std::optional<std::size_t> mean;
  bool zero_mean = false, unit_variance = false;
  std::optional<double> batches;  // num_batches_tracked; torch before 0.4.1 does not save it
};

bool is_component(std::string_view name, std::string_view last) {
  return name.ends_with(last) && (name.size() == last.size() || name[name.size() - last.size() - 1] == '.');
}

// By the module's name with its dot ("encoder.1.").
std::map<std::string, Layer> layers_of(const Context& context, const Rule& rule) {
  std::map<std::string, Layer> layers;
  for (const auto index : context.selected(rule)) {
    const auto* stats = context.stats(index);
    const auto name = training::weight_name(context.items(), context.file().entries[index].path);
    if (!name || stats == nullptr || !stats->decoded || stats->numel == 0) continue;
    const double lowest = tensor::to_double(stats->min), highest = tensor::to_double(stats->max);
    for (const auto part : {kMean, kVariance, std::string_view("num_batches_tracked")}) {
      if (!is_component(*name, part)) continue;
      Layer& layer = layers[name->substr(0, name->size() - part.size())];
      if (part == kMean) {
        layer.mean = index;
        layer.zero_mean = stats->zeros == stats->numel;
      } else if (part == kVariance) {
        layer.unit_variance = lowest == 1.0 && highest == 1.0 && stats->nan == 0;
      } else {
        layer.batches = lowest;
      }
    }
  }
  return layers;
}

// Weights whose shape has moments for each of them, statistics left out.
class Trained {
 public:
  explicit Trained(const Context& context) : moments_(context), weights_(weights_by_shape(context)) {}

  bool has(std::string_view layer, const Shape& shape) const {
    const auto same = weights_.find(shape);
    if (same == weights_.end()) return false;
    std::uint64_t parameters = 0;
    bool own = false;
    for (const auto& weight : same->second) {
      if (is_component(weight.name, kMean) || is_component(weight.name, kVariance)) continue;
      ++parameters;
      own = own || (weight.name.starts_with(layer) && weight.name.substr(layer.size()) == "weight");
    }
    return own && moments_.parameters(shape) >= parameters;
  }

 private:
  Moments moments_;
  std::map<Shape, std::vector<ShapedWeight>> weights_;
};

// Until averaging starts, state_dict is the model as it was made; the trained one is in current_model_state.
bool is_unstarted_average(const Context& context) {
  const NodeId count = member(context.file().tree, context.items().averaging_state, "n_averaged");
  return training::scalar_value(context.file(), count) == 0.0;
}

// num_batches_tracked proves nothing by itself: it is 0 in statistics converted from another framework.
void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const bool reset = rule.string("find") == "reset";
  const auto& progress = context.training().progress;
  const bool trained = progress.of_trainer && progress.global_step.value_or(0) > 0;
  if (!reset && !trained) return;
  if (is_unstarted_average(context)) return;
  const Trained optimized(context);
  for (const auto& [prefix, layer] : layers_of(context, rule)) {
    if (!layer.mean || !layer.zero_mean || !layer.unit_variance) continue;
    const double batches = layer.batches.value_or(0);
    const bool counted = batches > 0;
    if (reset) {
      const auto& shape = context.file().record_of(context.file().entries[*layer.mean]).view.shape;
      if (!counted && !optimized.has(prefix, shape)) continue;
    } else if (counted) {
      continue;
    }
    const std::string_view kind = reset           ? (counted ? "reset" : "reset-trained")
                                  : layer.batches ? "untrained"
                                                  : "uncounted";
    Hit hit = make_hit(context.file().entries[*layer.mean].path, kind, report::PlaceKind::kTensor);
    hit.fields = {{"layer", prefix.empty() ? prefix : prefix.substr(0, prefix.size() - 1)},
                  {"step", show(tree, context.items().global_step)},
                  {"batches", fmt::format("{:.0f}", batches)}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kBnUntrained{
    .name = "bn-untrained",
    .help = "batch norm layers that never saw a batch, or whose statistics were reset later",
    .needs = kStats,
    .params = kParams,
    .run = run,
    .kinds = kKinds};

}  // namespace ckpt::lint
