// Plain values, hyperparameters by default, that are not what they are in the base.
#include <set>

#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"under", ParamType::kStrings, "[hyper_parameters, datamodule_hyper_parameters]",
     "top-level keys to compare"},
    {"skip", ParamType::kGlobs, "[]", "paths that may change"},
};
constexpr std::string_view kFields[] = {"text"};

using ByPath = std::map<std::string, NodeId>;

ByPath scalars(const Tree& tree, NodeId start, const std::string& path) {
  ByPath result;
  for (auto& value : values_below(tree, start, path))
    if (!value.container && tree.kind(value.id) != Kind::kTensor && tree.kind(value.id) != Kind::kStorage)
      result.emplace(std::move(value.path), value.id);
  return result;
}

// Lightning writes the datamodule's hyperparameters since 1.7; before, there is nothing to compare with.
bool could_have(const Opened& opened, std::string_view key) {
  return key != keys::kDataModuleHyperParameters || !opened.items.version ||
         opened.items.version->at_least(1, 7);
}

struct Comparison {
  const Context& context;
  const Tree& now_tree;
  const Tree& old_tree;
  std::vector<Glob> skip;
  const Emit& emit;

  void say(const std::string& path, std::string_view kind, std::string text, bool in_base) const {
    if (any_match(skip, path)) return;
    Hit hit = text_hit(path, kind, std::move(text));
    if (in_base) hit.base_path = path;
    emit(std::move(hit));
  }

  void section(const std::string& key) const {
    const NodeId now = member(now_tree, now_tree.root(), key), old = member(old_tree, old_tree.root(), key);
    const auto path = key_path("", key);
    if (now == kNoNode && old == kNoNode) return;
    if (now == kNoNode && !could_have(context.input, key)) return;
    if (old == kNoNode && !could_have(*context.base, key)) return;
    if (now == kNoNode) return say(path, "removed", "in the base, but not in this file", true);
    if (old == kNoNode) return say(path, "added", "not in the base", false);
    const auto after = scalars(now_tree, now, path), before = scalars(old_tree, old, path);
    for (const auto& [place, node] : after) {
      const auto was = before.find(place);
      if (was == before.end())
        say(place, "added", show(now_tree, node) + ", not in the base", false);
      else if (!same_scalar(now_tree, node, old_tree, was->second))
        say(place, "changed", show(old_tree, was->second) + " in the base, now " + show(now_tree, node),
            true);
    }
    for (const auto& [place, node] : before)
      if (!after.contains(place))
        say(place, "removed", show(old_tree, node) + " in the base, absent now", true);
  }
};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Comparison comparison{context, context.file().tree, context.base->file->tree, globs_of(rule, "skip"),
                              emit};
  for (const auto& key : rule.strings("under")) comparison.section(key);
}

}  // namespace

const Check kValueChange{.name = "value-change",
                         .help = "hyperparameters that are not what they are in the base",
                         .needs = kBase,
                         .params = kParams,
                         .fields = kFields,
                         .run = run};

}  // namespace ckpt::lint
