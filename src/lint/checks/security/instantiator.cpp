// hyper_parameters._instantiator: a dotted name that Lightning 2.3.0-2.6.5 imports and calls on load.
#include <algorithm>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"allow", ParamType::kStrings,
     "[lightning.pytorch.cli.instantiate_module, pytorch_lightning.cli.instantiate_module]",
     "functions that are allowed; the default is Lightning's own list since the fix of CVE-2026-58659"},
};
constexpr KindSpec kKinds[] = {{"instantiator", "value"}};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto allow = rule.strings("allow");
  for (const auto section : {keys::kHyperParameters, keys::kDataModuleHyperParameters}) {
    const NodeId node = member(tree, member(tree, tree.root(), section), "_instantiator");
    if (node == kNoNode) continue;
    const auto text = string_of(tree, node);
    if (text && std::find(allow.begin(), allow.end(), *text) != allow.end()) continue;
    Hit hit = make_hit(key_path(section, "_instantiator"), "instantiator");
    hit.fields = {{"value", text ? quote(abbreviate(*text, 200)) : show(tree, node)}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kInstantiator{.name = "instantiator",
                          .help = "a function that Lightning would import and call on load",
                          .needs = kNothing,
                          .params = kParams,
                          .run = run,
                          .kinds = kKinds};

}  // namespace ckpt::lint
