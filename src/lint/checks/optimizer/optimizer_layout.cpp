#include "lint/checks/optimizer/optimizer_layout.h"

#include <algorithm>

namespace ckpt::lint {
namespace {

// Source: torch/optim/*.py, 1.0 to 2.13. The first layout that fits is the class: the last two have no
// setting that others lack.
constexpr TorchLayout kLayouts[] = {
    {"Adam or AdamW",
     {"amsgrad"},
     {"lr", "eps", "weight_decay"},
     true,
     {"exp_avg", "exp_avg_sq"},
     {"fused", "decoupled_weight_decay"}},
    {"NAdam",
     {"momentum_decay"},
     {"lr", "eps", "weight_decay", "momentum_decay"},
     true,
     {"exp_avg", "exp_avg_sq", "mu_product"},
     {"decoupled_weight_decay"}},
    {"SGD", {"dampening", "nesterov"}, {"lr", "momentum", "dampening", "weight_decay"}, false, {}, {"fused"}},
    {"RMSprop",
     {"alpha", "centered"},
     {"lr", "alpha", "eps", "weight_decay", "momentum"},
     false,
     {"square_avg"}},
    {"ASGD", {"lambd", "t0"}, {"lr", "lambd", "alpha", "t0", "weight_decay"}, false, {"eta", "mu", "ax"}},
    {"Rprop", {"etas", "step_sizes"}, {"lr"}, false, {"prev", "step_size"}},
    {"Adagrad",
     {"lr_decay", "initial_accumulator_value"},
     {"lr", "lr_decay", "eps", "weight_decay"},
     false,
     {"sum"},
     {"fused"}},
    {"Adadelta", {"rho", "capturable"}, {"lr", "rho", "eps", "weight_decay"}, false, {"square_avg"}},
    {"Adafactor", {"beta2_decay", "d"}, {"lr", "beta2_decay", "d", "weight_decay"}, false, {}, {"eps"}},
    {"Muon",
     {"ns_coefficients", "ns_steps"},
     {"lr", "momentum", "weight_decay"},
     false,
     {},
     {"nesterov", "eps"}},
    {"LBFGS", {"line_search_fn", "history_size"}, {"lr"}, false, {}},
    {"RAdam",
     {"capturable", "decoupled_weight_decay"},
     {"lr", "eps", "weight_decay"},
     true,
     {"exp_avg", "exp_avg_sq"}},
    {"Adamax", {"capturable", "differentiable"}, {"lr", "eps", "weight_decay"}, true, {"exp_avg", "exp_inf"}},
};

// Settings that tell classes apart. A group with one that its class does not have is of another library,
// which borrowed the marks: Sophia has torch's `rho` and betas, ADOPT all of Adamax and `fused`.
constexpr std::string_view kTelling[] = {"alpha",      "beta2_decay",
                                         "betas",      "centered",
                                         "d",          "dampening",
                                         "decouple",   "decoupled_weight_decay",
                                         "eps",        "etas",
                                         "fused",      "initial_accumulator_value",
                                         "lambd",      "lr_decay",
                                         "momentum",   "momentum_decay",
                                         "nesterov",   "ns_coefficients",
                                         "ns_steps",   "rho",
                                         "step_sizes", "t0"};

bool has(const Tree& tree, NodeId group, std::string_view key) {
  return key.empty() || member(tree, group, key) != kNoNode;
}

bool knows(const TorchLayout& layout, std::string_view key) {
  const auto among = [key](const auto& keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  return among(layout.marks) || among(layout.numbers) || among(layout.others) ||
         (layout.betas && key == "betas");
}

bool fits(const TorchLayout& layout, const Tree& tree, NodeId group) {
  return std::all_of(layout.marks.begin(), layout.marks.end(),
                     [&](const auto mark) { return has(tree, group, mark); }) &&
         std::none_of(std::begin(kTelling), std::end(kTelling),
                      [&](const auto key) { return !knows(layout, key) && has(tree, group, key); });
}

}  // namespace

const TorchLayout* torch_layout(const Tree& tree, NodeId group) {
  const auto found = std::find_if(std::begin(kLayouts), std::end(kLayouts),
                                  [&](const TorchLayout& layout) { return fits(layout, tree, group); });
  return found == std::end(kLayouts) ? nullptr : &*found;
}

bool is_torch(const Tree& tree, NodeId group) {
  // torch 1.12 added foreach to all classes but SparseAdam and LBFGS; other libraries have only some of
  // these.
  return has(tree, group, "foreach") && has(tree, group, "maximize") &&
         (has(tree, group, "capturable") || has(tree, group, "differentiable"));
}

bool is_plain_sgd(const Tree& tree, NodeId group) {
  const NodeId momentum = member(tree, group, "momentum");
  return momentum != kNoNode && has(tree, group, "dampening") &&
         number_of(tree, momentum).value_or(0.0) == 0.0;
}

bool keeps_state(const Tree& tree, NodeId group) {
  if (is_plain_sgd(tree, group)) return false;
  return torch_layout(tree, group) != nullptr || has(tree, group, "betas");
}

}  // namespace ckpt::lint
