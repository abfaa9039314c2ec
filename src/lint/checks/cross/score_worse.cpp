// A best score of ModelCheckpoint or EarlyStopping that is worse than in the base.
#include <cmath>
#include <stdexcept>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"auto", "min", "max"};
constexpr ParamSpec kParams[] = {
    {"mode", ParamType::kString, "auto", "auto (as the callback's key says) | min | max", kChoices},
    {"tolerance", ParamType::kNumber, "0", "a score may be worse by as much"},
};
constexpr std::string_view kFields[] = {"value", "base-value", "mode"};

std::optional<double> scalar(const Checkpoint& file, NodeId node) {
  if (!is_kind(file.tree, node, Kind::kTensor)) return number_of(file.tree, node);
  const auto& record = file.tensor_records[file.tree.payload(node)];
  const auto* storage = readable_storage(file, record);
  if (storage == nullptr || record.view.numel != 1) return std::nullopt;
  const auto stats = tensor::compute_stats(record.view, *storage);
  return stats.nonfinite() > 0 ? std::nullopt : std::optional(tensor::to_double(stats.max));
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
  for (const auto& item : mapping_items(tree, opened.items.callbacks)) {
    const auto key = string_of(tree, item.key);
    if (!key) continue;
    const auto part = [&](std::string_view name) {  // 'monitor': 'val_loss' -> val_loss
      const std::string start = "'" + std::string(name) + "': '";
      const auto begin = key->find(start);
      if (begin == std::string_view::npos) return std::string();
      return std::string(
          key->substr(begin + start.size(), key->find('\'', begin + start.size()) - begin - start.size()));
    };
    for (const auto field : {"best_model_score", "best_score"}) {
      const auto value = scalar(*opened.file, member(tree, item.value, field));
      if (value)
        scores.emplace(std::string(callback_class(*key)) + " " + part("monitor"),
                       Score{key_path(key_path("callbacks", *key), field), *value, part("mode")});
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
    hit.fields = {{"value", format_double(now.value)},
                  {"base-value", format_double(old->second.value)},
                  {"mode", mode}};
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
                        .fields = kFields,
                        .run = run,
                        .validate = validate};

}  // namespace ckpt::lint
