// States of ModelCheckpoint and EarlyStopping: best scores that contradict each other, stopping that has
// already happened, paths of another machine.
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"best", "stopped", "absolute-path"};
constexpr ParamSpec kParams[] = {
    {"find", ParamType::kString, "", "best | stopped | absolute-path", kChoices},
};
constexpr std::string_view kFields[] = {"text"};

// --- best: callbacks/model_checkpoint.py, _update_best_and_save --------------------------------------------

// The key says 'mode': 'min' since 1.5; before, and in a subclass's key, either end may be the best.
enum class Mode { kMin, kMax, kUnknown };

Mode mode_of(std::string_view key) {
  if (key.find("'mode': 'min'") != std::string_view::npos) return Mode::kMin;
  if (key.find("'mode': 'max'") != std::string_view::npos) return Mode::kMax;
  return Mode::kUnknown;
}

struct Models {
  std::vector<double> scores;
  bool has_path = false;  // best_model_path is among them
  bool complete = true;   // all scores are numbers
};

Models models_of(const Tree& tree, NodeId models, const std::string& path, std::string_view best_path,
                 const Scalars& scalars) {
  Models result;
  for (const auto& item : mapping_items(tree, models)) {
    std::string place = path;
    value::append_key(place, tree, item.key);
    result.has_path = result.has_path || string_of(tree, item.key) == best_path;
    const auto score = scalars.value(item.value, place);
    if (score && !std::isnan(*score))
      result.scores.push_back(*score);
    else
      result.complete = false;  // callbacks-score-nonfinite says it
  }
  return result;
}

void find_best(const Tree& tree, NodeId state, const std::string& path, std::string_view key,
               const Scalars& scalars, const Emit& emit) {
  const auto best_path = string_of(tree, member(tree, state, "best_model_path"));
  const auto score_path = key_path(path, "best_model_score");
  const auto best = scalars.value(member(tree, state, "best_model_score"), score_path);
  const auto models = models_of(tree, member(tree, state, "best_k_models"), key_path(path, "best_k_models"),
                                best_path.value_or(""), scalars);
  if (models.scores.empty() && models.complete) return;  // monitor=None, save_top_k=0, or before 1.5.7
  if (best_path && !best_path->empty() && !models.has_path)
    emit(text_hit(key_path(path, "best_model_path"), "best-path",
                  fmt::format("{} is not among the {} in best_k_models", quote(abbreviate(*best_path, 120)),
                              plural(models.scores.size(), "model"))));
  if (!best || std::isnan(*best) || !models.complete) return;
  const auto [low, high] = std::minmax_element(models.scores.begin(), models.scores.end());
  const Mode mode = mode_of(key);
  const bool fits = (mode != Mode::kMax && *best == *low) || (mode != Mode::kMin && *best == *high);
  if (fits) return;
  const double expected = mode == Mode::kMax ? *high : *low;
  Hit hit = text_hit(
      score_path, "best-score",
      fmt::format("{}, but the best of best_k_models is {}", format_double(*best), format_double(expected)));
  hit.properties = {{"score", *best}, {"expected", expected}};
  emit(std::move(hit));
}

// --- stopped: callbacks/early_stopping.py ------------------------------------------------------------------

void find_stopped(const Tree& tree, NodeId state, const std::string& path, report::Level level,
                  const Emit& emit) {
  const auto wait = number_of(tree, member(tree, state, "wait_count")),
             patience = number_of(tree, member(tree, state, "patience"));
  if (!wait || !patience) return;
  const auto stopped = number_of(tree, member(tree, state, "stopped_epoch")).value_or(0.0);
  if (*wait < *patience && stopped <= 0) return;
  std::string text = fmt::format("{:.0f} of patience {:.0f}", *wait, *patience);
  if (stopped > 0) text += fmt::format(", stopped in epoch {:.0f}", stopped);
  Hit hit = text_hit(key_path(path, "wait_count"), "stopped",
                     text + ": resumed training stops at the next check that is no better");
  hit.level = level;
  hit.properties = {{"waitCount", *wait}, {"patience", *patience}, {"stoppedEpoch", stopped}};
  emit(std::move(hit));
}

// --- paths -------------------------------------------------------------------------------------------------

bool is_absolute(std::string_view path) {
  const bool drive = path.size() > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/');
  return path.starts_with('/') || path.starts_with("\\\\") || drive;
}

// One finding a callback: all of its paths begin alike.
void find_paths(const Tree& tree, NodeId state, const std::string& path, const Emit& emit) {
  for (const auto key : {"dirpath", "best_model_path", "last_model_path"}) {
    const auto text = string_of(tree, member(tree, state, key));
    if (!text || !is_absolute(*text)) continue;
    return emit(text_hit(key_path(path, key), "absolute-path",
                         quote(abbreviate(*text, 160)) + " is a path of the machine that wrote it"));
  }
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  if (context.items().kind != lightning::FileKind::kTrainer) return;
  const std::string& find = rule.string("find");
  const auto level = resuming_level(context.profile, rule.level);
  const Scalars scalars(context, rule);
  for (const auto& callback : mapping_items(tree, context.items().callbacks)) {
    std::string path = "callbacks";
    value::append_key(path, tree, callback.key);
    if (find == "best")
      find_best(tree, callback.value, path, string_of(tree, callback.key).value_or(""), scalars, emit);
    else if (find == "absolute-path")
      find_paths(tree, callback.value, path, emit);
    else if (level)
      find_stopped(tree, callback.value, path, *level, emit);
  }
}

}  // namespace

const Check kCallbackState{
    .name = "callback-state",
    .help = "callback states that contradict themselves, have stopped, or name another machine's paths",
    .needs = kStats,
    .params = kParams,
    .fields = kFields,
    .run = run};

}  // namespace ckpt::lint
