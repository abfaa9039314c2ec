#include "training/scores.h"

#include "training/keys.h"
#include "training/scalar.h"
#include "value/access.h"

namespace ckpt::training {
namespace {

std::string text_at(const value::Tree& tree, NodeId dict, std::string_view key) {
  const NodeId node = tree.get(dict, key);
  return value::is_kind(tree, node, value::Kind::kString) ? std::string(tree.text(node)) : std::string();
}

std::optional<double> number_at(const Checkpoint& file, NodeId dict, std::string_view key) {
  const NodeId node = file.tree.get(dict, key);
  return node == kNoNode ? std::nullopt : scalar_value(file, node);
}

// 'mode': 'min' -> min, of a key like ModelCheckpoint{'monitor': 'val_loss', 'mode': 'min'}.
std::string mode_in(std::string_view key) {
  for (const char* mode : {"min", "max"})
    if (key.find(std::string("'mode': '") + mode + "'") != key.npos) return mode;
  return {};
}

}  // namespace

std::vector<Score> read_scores(const Checkpoint& file, const State& state) {
  std::vector<Score> scores;
  for (const Callback& callback : state.callbacks) {
    if (!value::is_kind(file.tree, callback.state, value::Kind::kDict)) continue;
    Score score;
    score.monitor = text_at(file.tree, callback.state, "monitor");
    score.mode = mode_in(callback.key);
    score.current = number_at(file, callback.state, "current_score");
    score.best = number_at(file, callback.state, "best_model_score");
    score.best_path = text_at(file.tree, callback.state, "best_model_path");
    if (score.current || score.best) scores.push_back(std::move(score));
  }
  return scores;
}

}  // namespace ckpt::training
