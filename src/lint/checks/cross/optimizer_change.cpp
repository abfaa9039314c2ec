// An optimizer that is not the one of the base: another algorithm, other groups, other parameters.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"text"};

// Settings that tell algorithms apart and that their state_dicts always had (torch/optim/*.py). Settings that
// came with some version of torch (foreach, fused, decoupled_weight_decay ...) are no difference.
constexpr std::string_view kMarks[] = {"betas", "momentum",       "nesterov",       "rho",
                                       "alpha", "centered",       "lr_decay",       "etas",
                                       "lambd", "momentum_decay", "line_search_fn", "history_size"};

using Names = std::set<std::string>;

std::string list(const Names& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

Names marks_of(const Tree& tree, const training::Optimizer& optimizer) {
  Names names;
  for (const training::ParamGroup& group : optimizer.groups)
    for (const auto mark : kMarks)
      if (member(tree, group.node, mark) != kNoNode) names.emplace(mark);
  return names;
}

std::vector<std::size_t> parameters_of(const training::Optimizer& optimizer) {
  std::vector<std::size_t> counts;
  for (const training::ParamGroup& group : optimizer.groups) counts.push_back(group.ids.size());
  return counts;
}

struct Comparison {
  const Context& context;
  const Tree& now;
  const Tree& old;
  const Emit& emit;

  void say(const std::string& path, std::string_view kind, std::string text) const {
    Hit hit = text_hit(path, kind, std::move(text), report::PlaceKind::kObject);
    hit.base_path = path;
    emit(std::move(hit));
  }

  void optimizer(const training::Optimizer& a, const training::Optimizer& b) const {
    const std::string& path = a.path;
    const auto marks = marks_of(now, a), old_marks = marks_of(old, b);
    if (!marks.empty() && !old_marks.empty() && marks != old_marks)
      return say(
          path, "type",
          "another optimizer: its groups have " + list(marks) + ", those of the base " + list(old_marks));
    const auto counts = parameters_of(a), old_counts = parameters_of(b);
    if (counts.empty() || old_counts.empty()) return;  // optimizer-state-empty
    const auto groups_path = a.groups_path();
    if (counts.size() != old_counts.size()) {
      // More groups are then as it should be.
      const bool finetuned = training::is_finetuned(now, context.training().callbacks);
      if (counts.size() > old_counts.size() && finetuned) return;
      return say(groups_path, "groups",
                 plural(counts.size(), "group") + ", " + std::to_string(old_counts.size()) + " in the base");
    }
    for (std::size_t i = 0; i < counts.size(); ++i)
      if (counts[i] != old_counts[i])
        say(key_path(index_path(groups_path, i), keys::kParams), "parameters",
            plural(counts[i], "parameter") + ", " + std::to_string(old_counts[i]) + " in the base");
  }
};

void run(const Context& context, const Rule&, const Emit& emit) {
  const Comparison comparison{context, context.file().tree, context.base->file->tree, emit};
  const auto& now = context.training().optimizers;
  const auto& old = context.base->training.optimizers;
  if (now.empty() || old.empty())
    return;  // T11: nothing to compare; optimizer-state-missing is the rule for it
  if (now.size() != old.size())
    return comparison.say(
        keys::kOptimizerStates, "count",
        plural(now.size(), "optimizer") + ", " + std::to_string(old.size()) + " in the base");
  for (std::size_t i = 0; i < now.size(); ++i) comparison.optimizer(now[i], old[i]);
}

}  // namespace

const Check kOptimizerChange{
    .name = "optimizer-change",
    .help = "optimizers of another kind, with other groups or other parameters than in the base",
    .needs = kBase,
    .params = {},
    .fields = kFields,
    .run = run};

}  // namespace ckpt::lint
