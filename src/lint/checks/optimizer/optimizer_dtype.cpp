// Moments with a lower precision than their weights.
#include <map>

#include "lint/checks/list.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {{"lower-precision", "dtype weights lower moments"}};

using Shape = std::vector<std::int64_t>;

const tensor::TensorView* view_of(const Checkpoint& file, NodeId node) {
  if (!is_kind(file.tree, node, Kind::kTensor)) return nullptr;
  const auto& view = file.tensor_records[file.tree.payload(node)].view;
  return tensor::is_floating(view.dtype) ? &view : nullptr;
}

// No file says which parameter an id belongs to, but a moment below all weights of its shape is below its
// own.
std::map<Shape, tensor::DType> lowest_dtypes(const Context& context) {
  std::map<Shape, tensor::DType> lowest;
  for (const auto& key : weight_keys(context.file(), context.items())) {
    const auto* view = view_of(context.file(), key.value);
    if (view == nullptr) continue;
    const auto [found, added] = lowest.emplace(view->shape, view->dtype);
    if (!added && tensor::bits(view->dtype) < tensor::bits(found->second)) found->second = view->dtype;
  }
  return lowest;
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const auto& file = context.file();
  const Tree& tree = file.tree;
  const auto lowest = lowest_dtypes(context);
  for (const auto& optimizer : optimizers_of(context)) {
    std::uint64_t lower = 0, moments = 0;
    std::string first;
    std::string_view dtype, weights;
    for (const auto& parameter : mapping_items(tree, optimizer.state))
      for (const auto& item : mapping_items(tree, parameter.value)) {
        const auto* view = view_of(file, item.value);
        const auto weight = view == nullptr || view->shape.empty() ? lowest.end() : lowest.find(view->shape);
        if (weight == lowest.end()) continue;
        ++moments;
        if (tensor::bits(view->dtype) >= tensor::bits(weight->second)) continue;
        // float32 moments of float64 weights: the weights were cast, as weights-moment-dtype reports.
        if (weight->second == tensor::DType::kFloat64 && view->dtype == tensor::DType::kFloat32) continue;
        ++lower;
        if (lower > 1) continue;
        first = optimizer.state_path(tree, parameter.key);
        value::append_key(first, tree, item.key);
        dtype = tensor::name(view->dtype);
        weights = tensor::name(weight->second);
      }
    if (lower == 0) continue;
    Hit hit = make_hit(first, "lower-precision", report::PlaceKind::kTensor);
    hit.fields = {{"dtype", std::string(dtype)},
                  {"weights", std::string(weights)},
                  {"lower", std::to_string(lower)},
                  {"moments", std::to_string(moments)}};
    hit.properties = {{"lower", lower}, {"moments", moments}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kOptimizerDtype{.name = "optimizer-dtype",
                            .help = "optimizer moments with a lower precision than their weights",
                            .needs = kNothing,
                            .params = {},
                            .run = run,
                            .kinds = kKinds};

}  // namespace ckpt::lint
