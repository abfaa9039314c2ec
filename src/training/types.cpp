#include "training/types.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "training/keys.h"

namespace ckpt::training {
namespace {

using value::Kind;
using value::kNoNode;
using value::NodeId;
using value::Tree;

bool is(const Tree& tree, NodeId node, Kind kind) { return node != kNoNode && tree.kind(node) == kind; }

bool has(const Tree& tree, NodeId dict, std::string_view key) {
  return is(tree, dict, Kind::kDict) && tree.get(dict, key) != kNoNode;
}

struct TypeHint {
  std::string_view state;  // a key of the per-parameter state; empty: any
  std::string_view group;  // a key of the param group; empty: any
  std::string_view type;
};

constexpr TypeHint kOptimizers[] = {
    {"exp_avg_sq_row", "", "Adafactor"},
    {"old_dirs", "", "LBFGS"},
    {"", "line_search_fn", "LBFGS"},
    {"state1", "", "8-bit optimizer"},
    {"qmap1", "", "8-bit optimizer"},
    {"mu_product", "", "NAdam"},
    {"", "momentum_decay", "NAdam"},
    {"exp_inf", "", "Adamax"},
    {"max_exp_avg_sq", "", "Adam or AdamW (amsgrad)"},
    {"exp_avg_sq", "amsgrad", "Adam or AdamW"},
    {"exp_avg_sq", "", "Adam family"},
    {"", "amsgrad", "Adam or AdamW"},
    {"acc_delta", "", "Adadelta"},
    {"", "rho", "Adadelta"},
    {"square_avg", "", "RMSprop"},
    {"", "centered", "RMSprop"},
    {"sum", "", "Adagrad"},
    {"", "lr_decay", "Adagrad"},
    {"", "etas", "Rprop"},
    {"momentum_buffer", "", "SGD"},
    {"", "nesterov", "SGD"},
    {"exp_avg", "", "Lion-like"},
    {"ax", "", "ASGD"},
};

struct SchedulerHint {
  std::string_view field;
  std::string_view type;
};
constexpr SchedulerHint kSchedulers[] = {
    {"num_bad_epochs", "ReduceLROnPlateau"},
    {"total_steps", "OneCycleLR"},
    {"T_mult", "CosineAnnealingWarmRestarts"},
    {"T_max", "CosineAnnealingLR"},
    {"_milestones", "SequentialLR"},
    {keys::kInnerSchedulers, "ChainedScheduler"},
    {"milestones", "MultiStepLR"},
    {"step_size", "StepLR"},
    {"lr_lambdas", "LambdaLR"},
    {"start_factor", "LinearLR"},
    {"power", "PolynomialLR"},
    {"factor", "ConstantLR"},
    {"max_lrs", "CyclicLR"},
    {"swa_lrs", "SWALR"},
    {"anneal_epochs", "SWALR"},
    {"gamma", "ExponentialLR"},
};

// Since torch 2.6 AdamW is an Adam whose groups say decoupled_weight_decay: True.
std::string exact_adam(const Tree& tree, NodeId group, std::string_view type) {
  if (!type.starts_with("Adam or AdamW")) return std::string(type);
  const NodeId decoupled = is(tree, group, Kind::kDict) ? tree.get(group, "decoupled_weight_decay") : kNoNode;
  if (!is(tree, decoupled, Kind::kBool)) return std::string(type);
  return (tree.boolean(decoupled) ? "AdamW" : "Adam") +
         std::string(type.substr(std::string_view("Adam or AdamW").size()));
}

}  // namespace

std::string optimizer_type(const Tree& tree, NodeId optimizer) {
  if (!is(tree, optimizer, Kind::kDict)) return "optimizer of unknown type";
  const NodeId states = tree.get(optimizer, keys::kState), groups = tree.get(optimizer, keys::kParamGroups);
  NodeId state = kNoNode, group = kNoNode;
  if (is(tree, states, Kind::kDict) && !tree.items(states).empty()) state = tree.items(states)[0].value;
  if (is(tree, groups, Kind::kList) && !tree.elements(groups).empty()) group = tree.elements(groups)[0];
  for (const TypeHint& hint : kOptimizers) {
    const bool state_fits = hint.state.empty() || has(tree, state, hint.state);
    const bool group_fits = hint.group.empty() || has(tree, group, hint.group);
    if (state_fits && group_fits) return exact_adam(tree, group, hint.type);
  }
  return "optimizer of unknown type";
}

std::string scheduler_type(const Tree& tree, NodeId scheduler) {
  for (const SchedulerHint& hint : kSchedulers)
    if (has(tree, scheduler, hint.field)) return std::string(hint.type);
  return "scheduler of unknown type";
}

bool may_be_same_type(std::string_view a, std::string_view b) {
  if (a.ends_with("of unknown type") || b.ends_with("of unknown type")) return true;
  const auto alternatives = [](std::string_view type) {
    type = type.substr(0, type.find(" ("));  // "(amsgrad)" is an option, not a class
    std::vector<std::string_view> out;
    for (std::size_t at = 0; at <= type.size();) {
      const std::size_t end = std::min(type.find(" or ", at), type.size());
      out.push_back(type.substr(at, end - at));
      at = end + 4;
    }
    return out;
  };
  const auto x = alternatives(a);
  const auto y = alternatives(b);
  return std::find_first_of(x.begin(), x.end(), y.begin(), y.end()) != x.end();
}

}  // namespace ckpt::training
