// Hyperparameters that differ from the optimizer's settings.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"map", ParamType::kExpect, "{}",
     "hyperparameter (or a glob): key of the parameter groups, or a list of keys, one of which must match"},
    {"rtol", ParamType::kNumber, "1.0e-6", "relative difference up to which numbers are equal"},
};
// `setting` is the first of the optimizer's settings with one of the keys; "drift-of-all" where there are
// more.
constexpr KindSpec kKinds[] = {
    {"drift", "value setting current"},
    {"drift-of-all", "value setting current count"},
};

using Numbers = std::vector<double>;

// A number, or a short list of them (betas). Empty for everything else: None, text, tensors.
Numbers numbers_of(const Tree& tree, NodeId id) {
  if (const auto number = number_of(tree, id)) return {*number};
  Numbers result;
  for (const NodeId element : sequence(tree, id)) {
    const auto number = number_of(tree, element);
    if (!number || result.size() >= 8) return {};
    result.push_back(*number);
  }
  return result;
}

std::string show_numbers(const Numbers& numbers) {
  if (numbers.size() == 1) return format_double(numbers.front());
  std::string text;
  for (const double number : numbers) text += (text.empty() ? "" : ", ") + format_double(number);
  return "[" + text + "]";
}

bool same_numbers(const Numbers& a, const Numbers& b, double rtol) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [rtol](double x, double y) {
    return x == y || std::abs(x - y) <= rtol * std::max(std::abs(x), std::abs(y));
  });
}

// What a scheduler moves cannot be compared: the learning rate if the scheduler left initial_lr next to it,
// both if stochastic weight averaging took over (SWALR's swa_lr), momentum or betas if OneCycleLR or CyclicLR
// cycle them.
bool is_moved(const Tree& tree, NodeId group, std::string_view key) {
  if (key.ends_with("lr") && member(tree, group, "swa_lr") != kNoNode) return true;
  if (key == keys::kLr) return member(tree, group, keys::kInitialLr) != kNoNode;
  return (key == "momentum" || key == "betas") && member(tree, group, "max_momentum") != kNoNode;
}

std::vector<std::string> keys_of(const report::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value.data())) return {*text};
  std::vector<std::string> keys;
  if (const auto* list = std::get_if<report::List>(&value.data()))
    for (const auto& element : *list)
      if (const auto* text = std::get_if<std::string>(&element.data())) keys.push_back(*text);
  return keys;
}

struct Setting {
  std::string path;
  Numbers value;
};

// ReduceLROnPlateau leaves no initial_lr, but remembers the rates that it set.
bool is_scheduled(const Tree& tree, const std::vector<Scheduler>& schedulers, const Optimizer& optimizer,
                  std::size_t group) {
  const auto lr = number_of(tree, member(tree, optimizer.groups[group].node, keys::kLr));
  return std::any_of(schedulers.begin(), schedulers.end(), [&](const Scheduler& scheduler) {
    const auto rates = sequence(tree, scheduler.last_lr);
    return rates.size() == optimizer.groups.size() && lr && number_of(tree, rates[group]) == lr;
  });
}

// Every group of every optimizer: one match is enough, since groups differ by design.
std::vector<Setting> settings_of(const Tree& tree, const training::State& training,
                                 const std::vector<std::string>& names) {
  std::vector<Setting> settings;
  for (const Optimizer& optimizer : training.optimizers)
    for (std::size_t g = 0; g < optimizer.groups.size(); ++g)
      for (const auto& name : names) {
        const NodeId group = optimizer.groups[g].node;
        auto value = numbers_of(tree, member(tree, group, name));
        if (value.empty() || is_moved(tree, group, name)) continue;
        if (name == keys::kLr && is_scheduled(tree, training.schedulers, optimizer, g)) continue;
        settings.push_back({key_path(optimizer.group_path(g), name), std::move(value)});
      }
  return settings;
}

bool fits(const Numbers& wanted, const std::vector<Setting>& settings, double rtol) {
  return std::any_of(settings.begin(), settings.end(),
                     [&](const Setting& setting) { return same_numbers(wanted, setting.value, rtol); });
}

// Another hyperparameter of one of these names holds the optimizer's setting (optimizer.lr beside lr): then
// the one at hand belongs to something else.
bool is_elsewhere(const Tree& tree, const std::vector<SubValue>& hparams, const report::Object& names,
                  const std::vector<Setting>& settings, double rtol) {
  return std::any_of(hparams.begin(), hparams.end(), [&](const SubValue& hparam) {
    return std::any_of(names.begin(), names.end(), [&](const report::Property& name) {
      return hparam.path.ends_with("." + name.name) && fits(numbers_of(tree, hparam.id), settings, rtol);
    });
  });
}

void say(const SubValue& hparam, const Numbers& wanted, const std::vector<Setting>& settings,
         const Emit& emit) {
  const auto& first = settings.front();
  Hit hit = make_hit(hparam.path, settings.size() == 1 ? "drift" : "drift-of-all");
  hit.fields = {{"value", show_numbers(wanted)},
                {"setting", first.path},
                {"current", show_numbers(first.value)},
                {"count", std::to_string(settings.size())}};
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto& items = context.items();
  if (items.kind != training::FileKind::kTrainer) return;
  const std::string root = "hyper_parameters.";
  const auto hparams = values_below(tree, items.hyper_parameters, keys::kHyperParameters);
  const auto& names = rule.object("map");
  const double rtol = rule.number("rtol");
  for (const auto& [pattern, value] : names) {
    const Glob glob(root + pattern);
    const auto settings = settings_of(tree, context.training(), keys_of(value));
    if (settings.empty()) continue;
    for (const auto& hparam : hparams) {
      const Numbers wanted = glob.matches(hparam.path) ? numbers_of(tree, hparam.id) : Numbers{};
      if (wanted.empty() || fits(wanted, settings, rtol)) continue;
      if (!is_elsewhere(tree, hparams, names, settings, rtol)) say(hparam, wanted, settings, emit);
    }
  }
}

void validate(const Rule& rule) {
  if (rule.on && rule.object("map").empty())
    throw std::invalid_argument("compares nothing: say what, as in map: {lr: [initial_lr, lr]}");
  for (const auto& [name, value] : rule.object("map"))
    if (keys_of(value).empty())
      throw std::invalid_argument("'" + name + "' needs a key of the parameter groups, or a list of keys");
}

}  // namespace

const Check kHparamsDrift{.name = "hparams-drift",
                          .help = "hyperparameters that differ from the optimizer's settings",
                          .needs = kNothing,
                          .params = kParams,
                          .run = run,
                          .validate = validate,
                          .kinds = kKinds};

}  // namespace ckpt::lint
