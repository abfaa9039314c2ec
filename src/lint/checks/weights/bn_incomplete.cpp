// Batch norm layers of which the file has a part.
#include <map>
#include <string>

#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {{"missing", "key there"}};
constexpr std::string_view kMean = "running_mean", kVariance = "running_var", kCount = "num_batches_tracked";

// Paths of the buffers of a layer; empty: not there.
struct Layer {
  std::string mean, variance, count;
};

// torch registers the three together (torch/nn/modules/batchnorm.py, _NormBase.__init__). Other modules keep
// a running_mean, too, but do not count batches by this name.
void judge(const Layer& layer, const Emit& emit) {
  if (layer.count.empty() || layer.mean.empty() == layer.variance.empty()) return;
  const std::string& there = layer.mean.empty() ? layer.variance : layer.mean;
  Hit hit = make_hit(there, "missing", report::PlaceKind::kTensor);
  hit.fields = {{"key", std::string(layer.mean.empty() ? kMean : kVariance)},
                {"there", std::string(layer.mean.empty() ? kVariance : kMean)}};
  emit(std::move(hit));
}

void run(const Context& context, const Rule&, const Emit& emit) {
  std::map<std::string, Layer> layers;
  for (const auto& key : weight_keys(context.file(), context.items())) {
    const std::string_view name = key.name;
    const auto dot = name.rfind('.');
    const std::string_view last = dot == name.npos ? name : name.substr(dot + 1);
    if (last != kMean && last != kVariance && last != kCount) continue;
    Layer& layer = layers[std::string(name.substr(0, name.size() - last.size()))];
    (last == kMean ? layer.mean : last == kVariance ? layer.variance : layer.count) = key.path;
  }
  for (const auto& [prefix, layer] : layers) judge(layer, emit);
}

}  // namespace

const Check kBnIncomplete{.name = "bn-incomplete",
                          .help = "batch norm layers with one of running_mean and running_var",
                          .needs = kNothing,
                          .params = {},
                          .run = run,
                          .kinds = kKinds};

}  // namespace ckpt::lint
