// The state of torch.amp.GradScaler, under any key.
#include <cmath>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"min-scale", ParamType::kNumber, "1.0", "warns below this scale"},
    {"max-scale", ParamType::kNumber, "1.8446744073709552e19", "warns above this scale"},
};
constexpr KindSpec kKinds[] = {
    {"missing", "key"},
    {"wrong-type", "value"},
    {"scale-nonfinite", "value"},
    {"scale-not-positive", "value"},
    {"scale-low", "value min"},
    {"scale-high", "value max"},
    {"growth-factor", "value"},
    {"backoff-factor", "value"},
    {"tracker-negative", "value"},
    {"tracker-beyond", "value interval"},
};

struct Scaler {
  const Checkpoint& file;
  const training::Scaler& at;
  const Scalars& scalars;
  const Emit& emit;

  NodeId node(std::string_view key) const { return member(file.tree, at.node, key); }
  std::optional<double> number(std::string_view key) const {
    return scalars.value(node(key), key_path(at.path, key));
  }
  std::string text(std::string_view key) const { return show_scalar(file, node(key), number(key)); }
  void say(std::string_view key, std::string_view kind, std::vector<Field> fields = {}) const {
    Hit hit = make_hit(key_path(at.path, key), kind);
    hit.fields = std::move(fields);
    hit.fields.push_back({"value", text(key)});
    emit(std::move(hit));
  }
};

void judge_scale(const Scaler& scaler, double min_scale, double max_scale) {
  const auto scale = scaler.number(keys::kScale);
  if (!scale) return;
  if (!std::isfinite(*scale))
    scaler.say(keys::kScale, "scale-nonfinite");
  else if (*scale <= 0)
    scaler.say(keys::kScale, "scale-not-positive");
  else if (*scale < min_scale)
    scaler.say(keys::kScale, "scale-low", {{"min", format_double(min_scale)}});
  else if (*scale > max_scale)
    scaler.say(keys::kScale, "scale-high", {{"max", format_double(max_scale)}});
}

void judge_factors(const Scaler& scaler) {
  const auto growth = scaler.number(keys::kGrowthFactor), backoff = scaler.number(keys::kBackoffFactor);
  if (growth && !(*growth > 1)) scaler.say(keys::kGrowthFactor, "growth-factor");
  if (backoff && !(*backoff > 0 && *backoff < 1)) scaler.say(keys::kBackoffFactor, "backoff-factor");
  const auto tracker = scaler.number(keys::kGrowthTracker), interval = scaler.number(keys::kGrowthInterval);
  if (tracker && *tracker < 0) scaler.say(keys::kGrowthTracker, "tracker-negative");
  if (tracker && interval && *tracker > *interval)
    scaler.say(keys::kGrowthTracker, "tracker-beyond", {{"interval", scaler.text(keys::kGrowthInterval)}});
}

// GradScaler.load_state_dict reads all five and turns the scale into a tensor.
void judge_fields(const Scaler& scaler) {
  for (const auto key : training::scaler_fields()) {
    const NodeId node = scaler.node(key);
    if (node == kNoNode) {
      Hit hit = make_hit(key_path(scaler.at.path, key), "missing", report::PlaceKind::kProperty);
      hit.fields = {{"key", std::string(key)}};
      scaler.emit(std::move(hit));
    } else if (!number_of(scaler.file.tree, node) && !is_kind(scaler.file.tree, node, Kind::kTensor)) {
      scaler.say(key, "wrong-type");
    }
  }
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto& scalers = context.training().scalers;
  if (scalers.empty()) return;
  const Scalars scalars(context, rule);
  for (const auto& at : scalers) {
    const Scaler scaler{context.file(), at, scalars, emit};
    judge_fields(scaler);
    judge_scale(scaler, rule.number("min-scale"), rule.number("max-scale"));
    judge_factors(scaler);
  }
}

}  // namespace

const Check kScalerValue{.name = "scaler-value",
                         .help = "gradient scalers whose state is unusable or out of range",
                         .needs = kStats,
                         .params = kParams,
                         .run = run,
                         .kinds = kKinds};

}  // namespace ckpt::lint
