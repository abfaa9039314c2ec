// Objects among the hyperparameters: models and optimizers, or every value that is not plain.
#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/hparams/hparams.h"
#include "lint/checks/list.h"
#include "lint/checks/security/weights_only_names.h"
#include "value/walk.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"models", "non-plain"};
constexpr ParamSpec kParams[] = {
    {"of", ParamType::kString, "",
     "models (nn.Module and optimizers) | non-plain (every class that torch's weights_only list lacks)",
     kChoices},
    {"allow", ParamType::kGlobs, "[]", "classes to accept (module.name)"},
};
// `what` is nn.Module or optimizer; empty with of: non-plain. `count` are the places besides the first.
constexpr KindSpec kKinds[] = {{"object", "class what"}, {"objects", "class what count"}};

struct Use {
  std::string first, what;
  std::uint64_t places = 0;
};
using Uses = std::map<std::string, Use>;  // by class

bool is_plain(const Tree& tree, NodeId id, const std::string& name) {
  // hparams-omegaconf reports these.
  if (name.empty() || name.starts_with("omegaconf.")) return true;
  NodeId global = tree.origin(id);
  if (global == kNoNode) global = tree.kind(id) == Kind::kObject ? tree.object(id).callee : id;
  return is_kind(tree, global, Kind::kGlobal) && is_weights_only_name(tree.module(global), tree.text(global));
}

void note(Uses& uses, const std::string& name, std::string_view what, std::string_view path) {
  Use& use = uses[name];
  if (use.places == 0) {
    use.first = path;
    use.what = what;
  }
  ++use.places;
}

// Looks into containers, not into objects.
Uses uses_in(const Tree& tree, const training::HyperParameters& section, bool models) {
  Uses uses;
  try {
    value::walk(tree, section.node, section.path, Limits{}, [&](const value::Visit& visit) {
      if (visit.place == value::Place::kRepeat) return value::Next::kSkip;
      const std::string name = class_of(tree, visit.id);
      if (models) {
        const auto part = model_part(tree, visit.id);
        if (part.empty()) return value::Next::kInto;
        note(uses, name, part, visit.path);
        return value::Next::kSkip;
      }
      if (!is_plain(tree, visit.id, name)) note(uses, name, "", visit.path);
      return tree.kind(visit.id) == Kind::kObject ? value::Next::kSkip : value::Next::kInto;
    });
  } catch (const Error&) {
    // Beyond the limits: the reader reports it.
  }
  return uses;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto allowed = globs_of(rule, "allow");
  for (const auto& section : context.training().hyper_parameters)
    for (const auto& [name, use] : uses_in(tree, section, rule.string("of") == "models")) {
      if (any_match(allowed, name)) continue;
      Hit hit = make_hit(use.first, use.places == 1 ? "object" : "objects");
      hit.fields = {{"class", one_line(abbreviate(name, 120))},
                    {"what", use.what},
                    {"count", std::to_string(use.places - 1)}};
      hit.properties = {{"class", name}, {"places", use.places}};
      emit(std::move(hit));
    }
}

}  // namespace

const Check kHparamsObjects{.name = "hparams-objects",
                            .help = "objects among the hyperparameters",
                            .needs = kNothing,
                            .params = kParams,
                            .run = run,
                            .kinds = kKinds};

}  // namespace ckpt::lint
