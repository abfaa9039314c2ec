// Moments of a lower precision than their weights.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"text"};

using Shape = std::vector<std::int64_t>;

const tensor::TensorView* view_of(const Checkpoint& file, NodeId node) {
  if (!is_kind(file.tree, node, Kind::kTensor)) return nullptr;
  const auto& view = file.tensor_records[file.tree.payload(node)].view;
  return tensor::is_floating(view.dtype) ? &view : nullptr;
}

// Nothing says which parameter an id stands for; a moment below every weight of its shape is below its own.
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
    std::string first, text;
    for (const auto& parameter : mapping_items(tree, optimizer.state))
      for (const auto& item : mapping_items(tree, parameter.value)) {
        const auto* view = view_of(file, item.value);
        const auto weight = view == nullptr || view->shape.empty() ? lowest.end() : lowest.find(view->shape);
        if (weight == lowest.end()) continue;
        ++moments;
        if (tensor::bits(view->dtype) >= tensor::bits(weight->second)) continue;
        if (weight->second == tensor::DType::kFloat64 && view->dtype == tensor::DType::kFloat32)
          continue;  // weights-moment-dtype: the weights were cast
        ++lower;
        if (lower > 1) continue;
        first = optimizer.state_path(tree, parameter.key);
        value::append_key(first, tree, item.key);
        text = fmt::format("{} for weights of {}", tensor::name(view->dtype), tensor::name(weight->second));
      }
    if (lower == 0) continue;
    Hit hit = text_hit(first, "lower-precision",
                       fmt::format("{} ({} of {})", text, lower, plural(moments, "moment")),
                       report::PlaceKind::kTensor);
    hit.properties = {{"lower", lower}, {"moments", moments}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kOptimizerDtype{.name = "optimizer-dtype",
                            .help = "optimizer moments of a lower precision than their weights",
                            .needs = kNothing,
                            .params = {},
                            .fields = kFields,
                            .run = run};

}  // namespace ckpt::lint
