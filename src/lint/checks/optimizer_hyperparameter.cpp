// Learning rates, decays and betas that no training survives.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"value", "problem"};

// Of torch.optim's groups: finite and >= 0. Other keys (tolerances of LBFGS, a user's own) may be anything
// but NaN.
constexpr std::string_view kNonNegative[] = {"lr",
                                             "initial_lr",
                                             "max_lr",
                                             "min_lr",
                                             "swa_lr",
                                             "eps",
                                             "weight_decay",
                                             "momentum",
                                             "alpha",
                                             "lr_decay",
                                             "rho",
                                             "lambd",
                                             "initial_accumulator_value",
                                             "base_momentum",
                                             "max_momentum"};

std::string problem_of(std::string_view key, double value) {
  if (std::isnan(value)) return "not a number";
  const bool known =
      std::find(std::begin(kNonNegative), std::end(kNonNegative), key) != std::end(kNonNegative);
  const bool beta = key == "betas";
  if (!known && !beta) return "";
  if (std::isinf(value)) return "infinite";
  if (value < 0) return "negative";
  return beta && value >= 1 ? "not below 1" : "";
}

void judge(const Tree& tree, std::string_view key, NodeId node, const std::string& path, const Emit& emit) {
  const auto number = number_of(tree, node);  // None and tensors (capturable) are no numbers here
  if (!number) return;
  const auto problem = problem_of(key, *number);
  if (problem.empty()) return;
  Hit hit = make_hit(path, "hyperparameter");
  hit.fields = {{"value", show(tree, node)}, {"problem", problem}};
  hit.properties = {{"value", *number}};
  emit(std::move(hit));
}

void judge_group(const Tree& tree, NodeId group, const std::string& path, const Emit& emit) {
  for (const auto& item : mapping_items(tree, group)) {
    const auto key = string_of(tree, item.key);
    if (!key || *key == "params" || *key == "param_names") continue;
    const auto place = key_path(path, *key);
    judge(tree, *key, item.value, place, emit);
    const auto parts = sequence(tree, item.value);  // betas, Adafactor's pair of eps
    for (std::size_t i = 0; i < parts.size() && i < 8; ++i)
      judge(tree, *key, parts[i], index_path(place, i), emit);
  }
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto& items = context.items();
  if (items.kind != lightning::FileKind::kTrainer) return;
  const auto states = sequence(tree, items.optimizer_states);
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto groups = sequence(tree, member(tree, states[i], "param_groups"));
    const auto path = key_path(index_path("optimizer_states", i), "param_groups");
    for (std::size_t g = 0; g < groups.size(); ++g) judge_group(tree, groups[g], index_path(path, g), emit);
  }
}

}  // namespace

const Check kOptimizerHyperparameter{
    .name = "optimizer-hyperparameter",
    .help = "optimizer settings that are NaN, infinite, negative or out of range",
    .needs = kNothing,
    .params = {},
    .fields = kFields,
    .run = run};

}  // namespace ckpt::lint
