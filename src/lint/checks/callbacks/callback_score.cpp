// Best scores of ModelCheckpoint and EarlyStopping that are NaN, or infinite after a score was recorded.
#include <cmath>

#include "base/text.h"
#include "lint/checks/callbacks/score_mode.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {{"nan", ""}, {"infinite", "value"}, {"unbeatable", "value"}};

struct Scores {
  const Context& context;
  const Tree& tree;
  std::map<std::string_view, std::size_t> entries;  // of the selected tensors only
  const Emit& emit;

  std::optional<double> value(NodeId node, const std::string& path) const {
    if (!is_kind(tree, node, Kind::kTensor)) return number_of(tree, node);
    const auto entry = entries.find(path);
    if (entry == entries.end()) return std::nullopt;
    const auto* stats = context.stats(entry->second);
    if (stats == nullptr || !stats->decoded || stats->numel == 0) return std::nullopt;
    return stats->nan > 0 ? std::nan("") : tensor::to_double(stats->max);
  }

  // `mode` of the callback: one of the two infinities is its initial value, the one that any score beats.
  void judge(NodeId node, const std::string& path, bool inf_allowed,
             ScoreMode mode = ScoreMode::kUnknown) const {
    const auto score = value(node, path);
    if (!score || std::isfinite(*score)) return;
    const bool unbeatable = std::isinf(*score) && ((mode == ScoreMode::kMin && *score < 0) ||
                                                   (mode == ScoreMode::kMax && *score > 0));
    if (std::isinf(*score) && inf_allowed && !unbeatable) return;
    Hit hit = make_hit(path, std::isnan(*score) ? "nan" : unbeatable ? "unbeatable" : "infinite");
    hit.fields = {{"value", format_double(*score)}};
    hit.properties = {{"value", *score}};
    emit(std::move(hit));
  }
};

// Infinities are initial values until a score replaces them.
void judge_callback(const Scores& scores, NodeId state, const std::string& path, ScoreMode mode) {
  const Tree& tree = scores.tree;
  const auto at = [&](std::string_view key) { return member(tree, state, key); };
  const auto no_path = [&](std::string_view key) { return string_of(tree, at(key)).value_or("").empty(); };
  scores.judge(at("best_model_score"), key_path(path, "best_model_score"), no_path("best_model_path"));
  scores.judge(at("kth_value"), key_path(path, "kth_value"), no_path("kth_best_model_path"));
  scores.judge(at("best_score"), key_path(path, "best_score"),
               number_of(tree, at("wait_count")).value_or(0) == 0, mode);
  const auto models_path = key_path(path, "best_k_models");
  for (const auto& model : mapping_items(tree, at("best_k_models"))) {
    std::string place = models_path;
    value::append_key(place, tree, model.key);
    scores.judge(model.value, place, false);
  }
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& file = context.file();
  if (context.items().kind != training::FileKind::kTrainer) return;
  Scores scores{context, file.tree, {}, emit};
  for (const auto index : context.selected(rule)) scores.entries.emplace(file.entries[index].path, index);
  for (const training::Callback& callback : context.training().callbacks)
    judge_callback(scores, callback.state, callback.path(file.tree), score_mode(callback.key));
}

}  // namespace

const Check kCallbackScore{.name = "callback-score",
                           .help = "callbacks whose best score is not finite",
                           .needs = kStats,
                           .params = {},
                           .run = run,
                           .kinds = kKinds};

}  // namespace ckpt::lint
