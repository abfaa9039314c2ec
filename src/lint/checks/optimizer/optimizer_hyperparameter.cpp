// Learning rates, decays and betas that no training survives, and settings that step() calculates with and
// that are no numbers.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/optimizer/optimizer_layout.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"value", "problem"};

// Of torch.optim's groups: finite and >= 0. Other keys (tolerances of LBFGS, a user's own) may be anything
// but NaN.
constexpr std::string_view kNonNegative[] = {
    keys::kLr,      keys::kInitialLr, "max_lr",   "min_lr",        "swa_lr",      "eps",
    "weight_decay", "momentum",       "lr_decay", "base_momentum", "max_momentum"};
// Likewise, but other libraries call other things so.
constexpr std::string_view kNonNegativeOfTorch[] = {"alpha", "rho", "lambd", "initial_accumulator_value"};

template <std::size_t N>
bool is_one_of(std::string_view text, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

struct Problem {
  std::string text;
  report::Level level = report::Level::kError;
};

// `part` is the index in a pair, 0 for plain settings; `torch` is null for another library's group.
std::optional<Problem> problem_of(std::string_view key, std::size_t part, double value,
                                  const TorchLayout* torch) {
  if (std::isnan(value)) return Problem{"not a number"};
  const bool beta = key == "betas";
  if (!beta && !is_one_of(key, kNonNegative) && !(torch != nullptr && is_one_of(key, kNonNegativeOfTorch)))
    return std::nullopt;
  if (std::isinf(value)) return Problem{"infinite"};
  if (value < 0) return Problem{"negative"};
  // The third of Adan's, and 1 in some others, mean something else.
  if (beta && (value > 1 || (value == 1 && (torch != nullptr || part == 0)))) return Problem{"not below 1"};
  if (torch == nullptr) return std::nullopt;
  if (key == "alpha" && torch->name == "RMSprop" && value > 1)
    return Problem{"above 1: the mean of squares becomes negative, and the weights NaN"};
  if (key == "momentum" && torch->name == "SGD" && value >= 1)
    return Problem{"not below 1: velocity grows with every step", report::Level::kWarning};
  return std::nullopt;
}

struct Judge {
  const Checkpoint& file;
  const Tree& tree;
  const Scalars& scalars;
  const Emit& emit;

  void say(const std::string& path, std::string value, Problem problem, std::optional<double> number) const {
    Hit hit = make_hit(path, "hyperparameter");
    hit.fields = {{"value", std::move(value)}, {"problem", std::move(problem.text)}};
    if (number) hit.properties = {{"value", *number}};
    hit.level = problem.level;
    emit(std::move(hit));
  }

  void number(std::string_view key, std::size_t part, NodeId node, const std::string& path,
              const TorchLayout* torch) const {
    const auto value = scalars.value(node, path);  // None has a meaning in some
    if (!value) return;
    // optimizer-nonfinite judges tensors.
    if (is_kind(tree, node, Kind::kTensor) && !std::isfinite(*value)) return;
    if (auto problem = problem_of(key, part, *value, torch))
      say(path, show_scalar(file, node, value), std::move(*problem), value);
  }

  bool is_number(NodeId node) const { return number_of(tree, node) || is_kind(tree, node, Kind::kTensor); }

  // A setting that step() calculates with and that it cannot use.
  void unusable(const std::string& path, std::string_view key, NodeId node, std::string_view wanted,
                const TorchLayout& torch) const {
    const bool absent = node == kNoNode;
    say(path, absent ? std::string(key) : show(tree, node),
        {(absent ? "absent" : "no " + std::string(wanted)) + ", and " + std::string(torch.name) +
         " needs one: the first step fails"},
        std::nullopt);
  }

  void betas(NodeId node, const std::string& path, const TorchLayout& torch) const {
    const auto parts = sequence(tree, node);
    if (parts.size() != 2 || !is_number(parts[0]) || !is_number(parts[1]))
      return unusable(path, "betas", node, "pair of numbers", torch);
    const auto first = scalars.value(parts[0], index_path(path, 0));
    const auto second = scalars.value(parts[1], index_path(path, 1));
    if (first && second && *second < *first && *first < 1)
      say(path, "(" + show_scalar(file, parts[0], first) + ", " + show_scalar(file, parts[1], second) + ")",
          {"in a strange order: the mean of squares forgets sooner than the mean", report::Level::kWarning},
          std::nullopt);
  }

  // What step() calculates with. Keys are there since the class is: load_state_dict adds later ones, not
  // these.
  void needed(NodeId group, const std::string& path, const TorchLayout& torch) const {
    for (const auto key : torch.numbers) {
      if (key.empty()) continue;
      const NodeId node = member(tree, group, key);
      if (node == kNoNode || !is_number(node)) unusable(key_path(path, key), key, node, "number", torch);
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
    const NodeId lr = member(tree, group, keys::kLr);  // None is Adafactor's; text is nobody's
    if (is_kind(tree, lr, Kind::kString))
      say(key_path(path, keys::kLr), show(tree, lr), {"no number: the first step fails"}, std::nullopt);
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
    .help = "optimizer settings that are NaN, infinite, negative, out of range or no numbers",
    .needs = kStats,
    .params = {},
    .fields = kFields,
    .run = run};

}  // namespace ckpt::lint
