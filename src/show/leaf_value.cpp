#include "show/leaf_value.h"

#include "value/path.h"

namespace ckpt::show {

report::Value leaf_value(const value::Tree& tree, const Leaf& leaf) {
  using value::Kind;
  constexpr std::size_t kLimit = 4096;  // of a repr: JSON should not include a whole data set
  if (leaf.repeat) return nullptr;
  switch (tree.kind(leaf.node)) {
    case Kind::kNone: return nullptr;
    case Kind::kBool: return tree.boolean(leaf.node);
    case Kind::kInt: return tree.integer(leaf.node);
    case Kind::kFloat: return tree.real(leaf.node);
    case Kind::kString:
    case Kind::kBigInt: return tree.text(leaf.node);
    case Kind::kBytes:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kSet:
    case Kind::kDict:
    case Kind::kGlobal:
    case Kind::kObject:
    case Kind::kPersistent:
    case Kind::kTensor:
    case Kind::kStorage: return value::repr(tree, leaf.node, kLimit);
  }
  return nullptr;
}

report::Value number_value(const tensor::Number& number) {
  return std::visit(
      [](const auto& n) -> report::Value {
        if constexpr (std::is_same_v<std::decay_t<decltype(n)>, std::monostate>)
          return nullptr;
        else
          return n;
      },
      number);
}

report::Value shape_value(std::span<const std::int64_t> shape) {
  report::List list;
  for (const std::int64_t size : shape) list.emplace_back(size);
  return list;
}

}  // namespace ckpt::show
