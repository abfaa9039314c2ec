// States of ModelCheckpoint, EarlyStopping and Timer: best scores that contradict each other, stopping that
// has already happened, impossible counts, paths of another machine.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/callbacks/score_mode.h"
#include "lint/checks/list.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"best", "stopped", "counters", "absolute-path"};
constexpr ParamSpec kParams[] = {
    {"find", ParamType::kString, "", "best | stopped | counters | absolute-path", kChoices},
};
constexpr std::string_view kFields[] = {"text"};

// --- best: callbacks/model_checkpoint.py, _update_best_and_save --------------------------------------------

struct Models {
  std::map<std::string_view, double> scores;  // by path; NaN where it is no number
  bool complete = true;                       // all scores are numbers

  bool has(std::string_view path) const { return scores.contains(path); }
  double low = 0, high = 0;  // of a complete one that is not empty
};

Models models_of(const Tree& tree, NodeId models, const std::string& path, const Scalars& scalars) {
  Models result;
  bool first = true;
  for (const auto& item : mapping_items(tree, models)) {
    std::string place = path;
    value::append_key(place, tree, item.key);
    const double score = scalars.value(item.value, place).value_or(std::nan(""));
    if (const auto key = string_of(tree, item.key)) result.scores.emplace(*key, score);
    result.complete = result.complete && !std::isnan(score);  // callbacks-score-nonfinite says it
    result.low = first ? score : std::min(result.low, score);
    result.high = first ? score : std::max(result.high, score);
    first = false;
  }
  return result;
}

struct Saving {
  const Tree& tree;
  const Scalars& scalars;
  const Emit& emit;
  NodeId state;
  const std::string& path;
  Models models;

  std::string_view text(std::string_view key) const {
    return string_of(tree, member(tree, state, key)).value_or("");
  }
  std::optional<double> number(std::string_view key) const {
    const auto value = scalars.value(member(tree, state, key), key_path(path, key));
    return value && !std::isnan(*value) ? value : std::nullopt;
  }
  void say(std::string_view key, std::string_view kind, std::string message, double score,
           double expected) const {
    Hit hit = text_hit(key_path(path, key), kind, std::move(message));
    hit.properties = {{"score", score}, {"expected", expected}};
    emit(std::move(hit));
  }

  // False if it names no model of the dict.
  bool path_is_known(std::string_view key, std::string_view kind, std::string_view consequence) const {
    const auto model = text(key);
    if (model.empty() || models.has(model)) return true;
    emit(text_hit(key_path(path, key), kind,
                  fmt::format("{} is not among the {} in best_k_models{}", quote(abbreviate(model, 120)),
                              plural(models.scores.size(), "model"), consequence)));
    return false;
  }

  void best(ScoreMode mode) const {
    const bool known = path_is_known("best_model_path", "best-path", "");
    const auto score = number("best_model_score");
    if (!score || !models.complete) return;
    const bool fits = (mode != ScoreMode::kMax && *score == models.low) ||
                      (mode != ScoreMode::kMin && *score == models.high);
    const double expected = mode == ScoreMode::kMax ? models.high : models.low;
    if (!fits)
      return say("best_model_score", "best-score",
                 fmt::format("{}, but the best of best_k_models is {}", format_double(*score),
                             format_double(expected)),
                 *score, expected);
    const auto model = models.scores.find(text("best_model_path"));
    if (known && model != models.scores.end() && model->second != *score)
      say("best_model_path", "best-path",
          fmt::format("{} has the score {} in best_k_models, but best_model_score is {}",
                      quote(abbreviate(model->first, 120)), format_double(model->second),
                      format_double(*score)),
          model->second, *score);
  }

  // The worst of the models, which the next better one replaces.
  void worst() const {
    if (!path_is_known("kth_best_model_path", "kth-path",
                       ": Lightning raises KeyError when a better model replaces it"))
      return;
    const auto value = number("kth_value");
    const auto model = models.scores.find(text("kth_best_model_path"));
    if (!value || model == models.scores.end() || std::isnan(model->second) || model->second == *value)
      return;
    say("kth_value", "kth-value",
        fmt::format("{}, but kth_best_model_path has the score {} in best_k_models", format_double(*value),
                    format_double(model->second)),
        *value, model->second);
  }
};

void find_best(const Tree& tree, NodeId state, const std::string& path, std::string_view key,
               const Scalars& scalars, const Emit& emit) {
  auto models =
      models_of(tree, member(tree, state, "best_k_models"), key_path(path, "best_k_models"), scalars);
  if (models.scores.empty()) return;  // monitor=None, save_top_k=0, or before 1.5.7
  const Saving saving{tree, scalars, emit, state, path, std::move(models)};
  saving.best(score_mode(key));
  saving.worst();
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

// --- counters ----------------------------------------------------------------------------------------------

// EarlyStopping counts up from 0, Timer (callbacks/timer.py) sums up differences of a clock that never goes
// back.
void find_counters(const Tree& tree, NodeId state, const std::string& path, const Emit& emit) {
  const auto judge = [&](const std::string& place, NodeId node, std::string_view consequence) {
    const auto value = number_of(tree, node);
    if (!value || (std::isfinite(*value) && *value >= 0)) return;
    Hit hit = text_hit(place, "counter", fmt::format("{}: {}", show(tree, node), consequence));
    hit.properties = {{"value", *value}};
    emit(std::move(hit));
  };
  if (member(tree, state, "patience") != kNoNode) {
    judge(key_path(path, "wait_count"), member(tree, state, "wait_count"),
          "checks without improvement are counted from 0 up, training stops too late");
    judge(key_path(path, "stopped_epoch"), member(tree, state, "stopped_epoch"),
          "no epoch has such a number");
  }
  const auto times = key_path(path, "time_elapsed");
  for (const auto& item : mapping_items(tree, member(tree, state, "time_elapsed"))) {
    std::string place = times;
    value::append_key(place, tree, item.key);
    judge(place, item.value, "no time, the limit of max_time is never reached or long over");
  }
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
  if (context.items().kind != training::FileKind::kTrainer) return;
  const std::string& find = rule.string("find");
  const auto level = resuming_level(context.profile, rule.level);
  const Scalars scalars(context, rule);
  for (const training::Callback& callback : context.training().callbacks) {
    const std::string path = callback.path(tree);
    if (find == "best")
      find_best(tree, callback.state, path, callback.key, scalars, emit);
    else if (find == "counters")
      find_counters(tree, callback.state, path, emit);
    else if (find == "absolute-path")
      find_paths(tree, callback.state, path, emit);
    else if (level)
      find_stopped(tree, callback.state, path, *level, emit);
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
