// A best score of ModelCheckpoint or EarlyStopping that is worse than in the base.
#include <cmath>
#include <stdexcept>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"
#include "training/scalar.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"auto", "min", "max"};
constexpr ParamSpec kParams[] = {
    {"mode", ParamType::kString, "auto", "auto (as the callback's key says) | min | max", kChoices},
    {"tolerance", ParamType::kNumber, "0", "a score may be worse by as much"},
};
constexpr KindSpec kKinds[] = {{"worse", "now base mode"}};

// NaN and infinities are the rules' about the file itself.
std::optional<double> score_of(const Checkpoint& file, NodeId node) {
  const auto value = training::scalar_value(file, node);
  return value && is_kind(file.tree, node, Kind::kTensor) && !std::isfinite(*value) ? std::nullopt : value;
}

struct Score {
  std::string path;
  double value = 0;
  std::string mode;
};

// By class and monitor, which is what a score belongs to; other arguments of the callback may change.
std::map<std::string, Score> scores_of(const Opened& opened) {
  std::map<std::string, Score> scores;
  const Tree& tree = opened.file->tree;
  for (const training::Callback& callback : opened.training.callbacks) {
    if (!is_kind(tree, callback.key_node, Kind::kString)) continue;
    const auto part = [&](std::string_view name) {  // 'monitor': 'val_loss' -> val_loss
      const std::string start = "'" + std::string(name) + "': '";
      const auto begin = callback.key.find(start);
      if (begin == std::string_view::npos) return std::string();
      return std::string(callback.key.substr(
          begin + start.size(), callback.key.find('\'', begin + start.size()) - begin - start.size()));
    };
    for (const auto field : {"best_model_score", "best_score"}) {
      const auto value = score_of(*opened.file, member(tree, callback.state, field));
      if (value)
        scores.emplace(std::string(callback.name) + " " + part("monitor"),
                       Score{key_path(callback.path(tree), field), *value, part("mode")});
    }
  }
  return scores;
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto base = scores_of(*context.base);
  for (const auto& [name, now] : scores_of(context.input)) {
    const auto old = base.find(name);
    const std::string mode = rule.string("mode") == "auto" ? now.mode : rule.string("mode");
    if (old == base.end() || (mode != "min" && mode != "max")) continue;
    const double worse = mode == "min" ? now.value - old->second.value : old->second.value - now.value;
    if (!(worse > rule.number("tolerance"))) continue;
    Hit hit = make_hit(now.path, "worse");
    hit.base_path = old->second.path;
    hit.fields = {
        {"now", format_double(now.value)}, {"base", format_double(old->second.value)}, {"mode", mode}};
    hit.properties = {{"value", now.value}, {"baseValue", old->second.value}};
    emit(std::move(hit));
  }
}

void validate(const Rule& rule) {
  if (rule.number("tolerance") < 0) throw std::invalid_argument("tolerance must be 0 or more");
}

}  // namespace

const Check kScoreWorse{.name = "score-worse",
                        .help = "best scores that are worse than in the base",
                        .needs = kBase,
                        .params = kParams,
                        .run = run,
                        .validate = validate,
                        .kinds = kKinds};

}  // namespace ckpt::lint
