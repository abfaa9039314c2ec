// Learning rates, decays and betas that break training, and settings that step() computes with but that are
// not numbers.
#include <algorithm>
#include <cmath>

#include "lint/checks/list.h"
#include "lint/checks/optimizer/optimizer_layout.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {
    {"nan", "value"},         {"infinite", "value"},
    {"negative", "value"},    {"beta", "value"},
    {"alpha", "value"},       {"momentum", "value"},
    {"missing", "optimizer"}, {"wrong-type", "value"},
    {"wrong-pair", "value"},  {"beta-order", "first second"},
};

// Of torch.optim's groups: finite and >= 0. Other keys (tolerances of LBFGS, custom ones) may be anything but
// NaN.
constexpr std::string_view kNonNegative[] = {
    keys::kLr,      keys::kInitialLr, "max_lr",   "min_lr",        "swa_lr",      "eps",
    "weight_decay", "momentum",       "lr_decay", "base_momentum", "max_momentum"};
// The same, but other libraries use these names for other things.
constexpr std::string_view kNonNegativeOfTorch[] = {"alpha", "rho", "lambd", "initial_accumulator_value"};

template <std::size_t N>
bool is_one_of(std::string_view text, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

// The kind of finding, or "". `part` is the index in a pair, 0 for plain settings; `torch` is null for
// another library's group.
std::string_view problem_of(std::string_view key, std::size_t part, double value, const TorchLayout* torch) {
  if (std::isnan(value)) return "nan";
  const bool beta = key == "betas";
  if (!beta && !is_one_of(key, kNonNegative) && !(torch != nullptr && is_one_of(key, kNonNegativeOfTorch)))
    return {};
  if (std::isinf(value)) return "infinite";
  if (value < 0) return "negative";
  // Adan's third beta, and a second one of 1 in some other libraries, mean something else.
  if (beta && (value > 1 || (value == 1 && (torch != nullptr || part == 0)))) return "beta";
  if (torch == nullptr) return {};
  if (key == "alpha" && torch->name == "RMSprop" && value > 1) return "alpha";
  if (key == "momentum" && torch->name == "SGD" && value >= 1) return "momentum";
  return {};
}

struct Judge {
  const Checkpoint& file;
  const Tree& tree;
  const Scalars& scalars;
  const Emit& emit;

  void say(const std::string& path, std::string_view kind, std::vector<Field> fields,
           std::optional<double> number = std::nullopt) const {
    Hit hit = make_hit(path, kind);
    hit.fields = std::move(fields);
    if (number) hit.properties = {{"value", *number}};
    emit(std::move(hit));
  }

  void number(std::string_view key, std::size_t part, NodeId node, const std::string& path,
              const TorchLayout* torch) const {
    const auto value = scalars.value(node, path);  // None is a valid setting of some optimizers
    if (!value) return;
    if (const auto problem = problem_of(key, part, *value, torch); !problem.empty())
      say(path, problem, {{"value", show_scalar(file, node, value)}}, value);
  }

  bool is_number(NodeId node) const { return number_of(tree, node) || is_kind(tree, node, Kind::kTensor); }

  // A setting that step() computes with and cannot use.
  void unusable(const std::string& path, std::string_view kind, NodeId node, const TorchLayout& torch) const {
    if (node == kNoNode) return say(path, "missing", {{"optimizer", std::string(torch.name)}});
    say(path, kind, {{"value", show(tree, node)}});
  }

  void betas(NodeId node, const std::string& path, const TorchLayout& torch) const {
    const auto parts = sequence(tree, node);
    if (parts.size() != 2 || !is_number(parts[0]) || !is_number(parts[1]))
      return unusable(path, "wrong-pair", node, torch);
    const auto first = scalars.value(parts[0], index_path(path, 0));
    const auto second = scalars.value(parts[1], index_path(path, 1));
    if (first && second && *second < *first && *first < 1)
      say(path, "beta-order",
          {{"first", show_scalar(file, parts[0], first)}, {"second", show_scalar(file, parts[1], second)}});
  }

  // What step() computes with. These keys are as old as their class: load_state_dict adds later ones, not
  // these.
  void needed(NodeId group, const std::string& path, const TorchLayout& torch) const {
    for (const auto key : torch.numbers) {
      if (key.empty()) continue;
      const NodeId node = member(tree, group, key);
      if (node == kNoNode || !is_number(node)) unusable(key_path(path, key), "wrong-type", node, torch);
    }
    if (torch.betas) betas(member(tree, group, "betas"), key_path(path, "betas"), torch);
  }

  void group(NodeId group, const std::string& path) const {
    const auto* torch = torch_layout(tree, group);
    for (const auto& item : mapping_items(tree, group)) {
      const auto key = string_of(tree, item.key);
      if (!key || *key == keys::kParams || *key == keys::kParamNames) continue;
      const auto place = key_path(path, *key);
      number(*key, 0, item.value, place, torch);
      const auto parts = sequence(tree, item.value);  // betas, Adafactor's pair of eps
      for (std::size_t i = 0; i < parts.size() && i < 8; ++i)
        number(*key, i, parts[i], index_path(place, i), torch);
    }
    if (torch != nullptr) return needed(group, path, *torch);
    const NodeId lr = member(tree, group, keys::kLr);  // may be None (Adafactor), but never text
    if (is_kind(tree, lr, Kind::kString))
      say(key_path(path, keys::kLr), "wrong-type", {{"value", show(tree, lr)}});
  }
};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Scalars scalars(context, rule);
  const Judge judge{context.file(), context.file().tree, scalars, emit};
  for (const auto& optimizer : optimizers_of(context))
    for (std::size_t g = 0; g < optimizer.groups.size(); ++g)
      judge.group(optimizer.groups[g].node, optimizer.group_path(g));
}

}  // namespace

const Check kOptimizerHyperparameter{
    .name = "optimizer-hyperparameter",
    .help = "optimizer settings that are NaN, infinite, negative, out of range or not numbers",
    .needs = kStats,
    .params = {},
    .run = run,
    .kinds = kKinds};

}  // namespace ckpt::lint
