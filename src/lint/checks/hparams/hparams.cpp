#include "lint/checks/hparams/hparams.h"

#include "lint/checks/common.h"

namespace ckpt::lint {

namespace {

// numpy pickles calls of internal functions (numpy.core, since 2.0 numpy._core) for classes with other names.
std::string known_as(std::string name) {
  if (name.ends_with("core.multiarray._reconstruct")) return "numpy.ndarray";
  if (name.ends_with("core.multiarray.scalar")) return "numpy.generic";
  return name;
}

}  // namespace

std::string class_of(const Tree& tree, NodeId id) {
  if (const NodeId origin = tree.origin(id); is_kind(tree, origin, Kind::kGlobal))
    return known_as(tree.qualified_name(origin));
  if (tree.kind(id) == Kind::kGlobal) return tree.qualified_name(id);
  if (tree.kind(id) != Kind::kObject) return "";
  const NodeId callee = tree.object(id).callee;
  // getattr(Color, 'RED'): how Python 3.11 pickles a member of an enum, and every version a bound method.
  const auto args = sequence(tree, tree.object(id).args);
  if (is_kind(tree, callee, Kind::kGlobal) && tree.qualified_name(callee) == "builtins.getattr" &&
      !args.empty() && is_kind(tree, args[0], Kind::kGlobal))
    return tree.qualified_name(args[0]);
  return is_kind(tree, callee, Kind::kGlobal) ? known_as(tree.qualified_name(callee)) : "an object";
}

std::string_view model_part(const Tree& tree, NodeId id) {
  if (!is_kind(tree, id, Kind::kObject)) return "";
  const NodeId state = tree.object(id).state;
  if (member(tree, state, "_parameters") != kNoNode && member(tree, state, "_modules") != kNoNode)
    return "nn.Module";
  if (member(tree, state, keys::kParamGroups) != kNoNode && member(tree, state, keys::kState) != kNoNode)
    return "optimizer";
  return "";
}

}  // namespace ckpt::lint
