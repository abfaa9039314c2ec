#include "training/scalar.h"

#include <cmath>

#include "tensor/stats.h"
#include "training/opened.h"

namespace ckpt::training {

std::optional<double> scalar_value(const Checkpoint& checkpoint, value::NodeId node) {
  using value::Kind;
  if (node == value::kNoNode) return std::nullopt;
  const value::Tree& tree = checkpoint.tree;
  if (tree.kind(node) == Kind::kInt) return static_cast<double>(tree.integer(node));
  if (tree.kind(node) == Kind::kFloat) return tree.real(node);
  if (tree.kind(node) != Kind::kTensor) return std::nullopt;
  const TensorRecord& record = checkpoint.tensor_records[tree.payload(node)];
  const tensor::Storage* storage = readable_storage(checkpoint, record);
  if (storage == nullptr || record.view.numel != 1) return std::nullopt;
  const tensor::Stats stats = tensor::compute_stats(record.view, *storage);
  if (stats.posinf > 0) return HUGE_VAL;
  if (stats.neginf > 0) return -HUGE_VAL;
  return tensor::to_double(stats.min);
}

}  // namespace ckpt::training
