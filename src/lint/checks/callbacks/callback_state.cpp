// States of ModelCheckpoint, EarlyStopping and Timer: best scores that contradict each other, early stopping
// that has already happened, impossible counts, paths of another machine.
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
// clang-format off
constexpr KindSpec kKinds[] = {
    {"best-path", "model count", "find=best"},
    {"best-path-score", "model score best", "find=best"},
    {"best-score", "score best", "find=best"},
    {"kth-path", "model count", "find=best"},
    {"kth-value", "value score", "find=best"},
    {"stopped", "wait patience", "find=stopped"},
    {"stopped-in", "wait patience epoch", "find=stopped"},
    {"wait-count", "value", "find=counters"},
    {"stopped-epoch", "value", "find=counters"},
    {"time-elapsed", "value", "find=counters"},
    {"absolute-path", "name", "find=absolute-path"},
};
// clang-format on

// --- best: callbacks/model_checkpoint.py, _update_best_and_save --------------------------------------------

struct Models {
  std::map<std::string_view, double> scores;  // by path; NaN where it is not a number
  bool complete = true;                       // all scores are numbers

  bool has(std::string_view path) const { return scores.contains(path); }
  double low = 0, high = 0;  // if complete and not empty
};

Models models_of(const Tree& tree, NodeId models, const std::string& path, const Scalars& scalars) {
  Models result;
  bool first = true;
  for (const auto& item : mapping_items(tree, models)) {
    std::string place = path;
    value::append_key(place, tree, item.key);
    const double score = scalars.value(item.value, place).value_or(std::nan(""));
    if (const auto key = string_of(tree, item.key)) result.scores.emplace(*key, score);
    result.complete = result.complete && !std::isnan(score);  // callbacks-score-nonfinite reports NaN
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
  void report(std::string_view key, std::string_view kind, std::vector<Field> fields, double score,
              double expected) const {
    Hit hit = make_hit(key_path(path, key), kind);
    hit.fields = std::move(fields);
    hit.properties = {{"score", score}, {"expected", expected}};
    emit(std::move(hit));
  }

  // False if it names a model that the dict lacks.
  bool path_is_known(std::string_view key, std::string_view kind) const {
    const auto model = text(key);
    if (model.empty() || models.has(model)) return true;
    Hit hit = make_hit(key_path(path, key), kind);
    hit.fields = {{"model", quote(abbreviate(model, 120))}, {"count", std::to_string(models.scores.size())}};
    emit(std::move(hit));
    return false;
  }

  void best(ScoreMode mode) const {
    const bool known = path_is_known("best_model_path", "best-path");
    const auto score = number("best_model_score");
    if (!score || !models.complete) return;
    const bool fits = (mode != ScoreMode::kMax && *score == models.low) ||
                      (mode != ScoreMode::kMin && *score == models.high);
    const double expected = mode == ScoreMode::kMax ? models.high : models.low;
    if (!fits)
      return report("best_model_score", "best-score",
                    {{"score", format_double(*score)}, {"best", format_double(expected)}}, *score, expected);
    const auto model = models.scores.find(text("best_model_path"));
    if (known && model != models.scores.end() && model->second != *score)
      report("best_model_path", "best-path-score",
             {{"model", quote(abbreviate(model->first, 120))},
              {"score", format_double(model->second)},
              {"best", format_double(*score)}},
             model->second, *score);
  }

  // The worst of the models, which the next better one replaces.
  void worst() const {
    if (!path_is_known("kth_best_model_path", "kth-path")) return;
    const auto value = number("kth_value");
    const auto model = models.scores.find(text("kth_best_model_path"));
    if (!value || model == models.scores.end() || std::isnan(model->second) || model->second == *value)
      return;
    report("kth_value", "kth-value",
           {{"value", format_double(*value)}, {"score", format_double(model->second)}}, *value,
           model->second);
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

void find_stopped(const Tree& tree, NodeId state, const std::string& path, const Emit& emit) {
  const auto wait = number_of(tree, member(tree, state, "wait_count")),
             patience = number_of(tree, member(tree, state, "patience"));
  if (!wait || !patience) return;
  const auto stopped = number_of(tree, member(tree, state, "stopped_epoch")).value_or(0.0);
  if (*wait < *patience && stopped <= 0) return;
  Hit hit = make_hit(key_path(path, "wait_count"), stopped > 0 ? "stopped-in" : "stopped");
  hit.fields = {{"wait", fmt::format("{:.0f}", *wait)}, {"patience", fmt::format("{:.0f}", *patience)}};
  if (stopped > 0) hit.fields.push_back({keys::kEpoch, fmt::format("{:.0f}", stopped)});
  hit.properties = {{"waitCount", *wait}, {"patience", *patience}, {"stoppedEpoch", stopped}};
  emit(std::move(hit));
}

// --- counters ----------------------------------------------------------------------------------------------

// EarlyStopping counts up from 0; Timer (callbacks/timer.py) adds up differences of a clock that never goes
// back.
void find_counters(const Tree& tree, NodeId state, const std::string& path, const Emit& emit) {
  const auto judge = [&](const std::string& place, NodeId node, std::string_view kind) {
    const auto value = number_of(tree, node);
    if (!value || (std::isfinite(*value) && *value >= 0)) return;
    Hit hit = make_hit(place, kind);
    hit.fields = {{"value", show(tree, node)}};
    hit.properties = {{"value", *value}};
    emit(std::move(hit));
  };
  if (member(tree, state, "patience") != kNoNode) {
    judge(key_path(path, "wait_count"), member(tree, state, "wait_count"), "wait-count");
    judge(key_path(path, "stopped_epoch"), member(tree, state, "stopped_epoch"), "stopped-epoch");
  }
  const auto times = key_path(path, "time_elapsed");
  for (const auto& item : mapping_items(tree, member(tree, state, "time_elapsed"))) {
    std::string place = times;
    value::append_key(place, tree, item.key);
    judge(place, item.value, "time-elapsed");
  }
}

// --- paths -------------------------------------------------------------------------------------------------

bool is_absolute(std::string_view path) {
  const bool drive = path.size() > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/');
  return path.starts_with('/') || path.starts_with("\\\\") || drive;
}

// One finding per callback: all of its paths start with the same folder.
void find_paths(const Tree& tree, NodeId state, const std::string& path, const Emit& emit) {
  for (const auto key : {"dirpath", "best_model_path", "last_model_path"}) {
    const auto text = string_of(tree, member(tree, state, key));
    if (!text || !is_absolute(*text)) continue;
    Hit hit = make_hit(key_path(path, key), "absolute-path");
    hit.fields = {{"name", quote(abbreviate(*text, 160))}};
    return emit(std::move(hit));
  }
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  if (context.items().kind != training::FileKind::kTrainer) return;
  const std::string& find = rule.string("find");
  const Scalars scalars(context, rule);
  for (const training::Callback& callback : context.training().callbacks) {
    const std::string path = callback.path(tree);
    if (find == "best")
      find_best(tree, callback.state, path, callback.key, scalars, emit);
    else if (find == "counters")
      find_counters(tree, callback.state, path, emit);
    else if (find == "absolute-path")
      find_paths(tree, callback.state, path, emit);
    else
      find_stopped(tree, callback.state, path, emit);
  }
}

}  // namespace

const Check kCallbackState{
    .name = "callback-state",
    .help =
        "callback states that contradict themselves, have stopped training, or name another machine's paths",
    .needs = kStats,
    .params = kParams,
    .run = run,
    .kinds = kKinds};

}  // namespace ckpt::lint
