#include "lint/checks/weights/trained_weights.h"

#include <set>

#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

const TensorRecord* record_at(const Checkpoint& file, NodeId node) {
  return is_kind(file.tree, node, Kind::kTensor) ? &file.tensor_records[file.tree.payload(node)] : nullptr;
}

}  // namespace

Moments::Moments(const Context& context) {
  const Tree& tree = context.file().tree;
  std::set<NodeId> states;                              // a hostile file lists one a million times
  std::map<NodeId, const tensor::TensorView*> moments;  // likewise
  for (const auto& optimizer : optimizers_of(context)) {
    if (!states.insert(optimizer.state).second) continue;
    for (const auto& parameter : mapping_items(tree, optimizer.state)) {
      const auto [known, added] = moments.emplace(parameter.value, nullptr);
      if (added) known->second = training::first_moment(context.file(), parameter.value);
      if (const auto* view = known->second; view != nullptr) ++by_shape_[view->shape][view->dtype];
    }
  }
}

const std::map<tensor::DType, std::uint64_t>& Moments::of(const Shape& shape) const {
  static const std::map<tensor::DType, std::uint64_t> kNothing;
  const auto found = by_shape_.find(shape);
  return found == by_shape_.end() ? kNothing : found->second;
}

std::uint64_t Moments::parameters(const Shape& shape) const {
  std::uint64_t count = 0;
  for (const auto& [dtype, parameters] : of(shape)) count += parameters;
  return count;
}

std::map<Shape, std::vector<ShapedWeight>> weights_by_shape(const Context& context) {
  std::map<Shape, std::vector<ShapedWeight>> weights;
  std::size_t position = 0;
  for (auto& key : weight_keys(context.file(), context.items())) {
    const auto* record = record_at(context.file(), key.value);
    if (record != nullptr)
      weights[record->view.shape].push_back({position, key.name, std::move(key.path), record});
    ++position;
  }
  return weights;
}

}  // namespace ckpt::lint
