// The state of torch.amp.GradScaler, wherever it stands.
#include <cmath>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"min-scale", ParamType::kNumber, "1.0", "a scale below this is a warning"},
    {"max-scale", ParamType::kNumber, "1.8446744073709552e19", "a scale above this is a warning"},
};
constexpr std::string_view kFields[] = {"text"};

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
  void say(std::string_view key, std::string_view kind, const std::string& problem, bool mild) const {
    Hit hit = text_hit(key_path(at.path, key), kind, text(key) + problem);
    if (mild) hit.level = report::Level::kWarning;
    emit(std::move(hit));
  }
};

void judge_scale(const Scaler& scaler, double min_scale, double max_scale) {
  const auto scale = scaler.number(keys::kScale);
  if (!scale) return;
  if (!std::isfinite(*scale))
    scaler.say(keys::kScale, "scale", ": the loss is multiplied with it, every gradient is lost", false);
  else if (*scale <= 0)
    scaler.say(keys::kScale, "scale", ": every gradient becomes zero, or its sign turns", false);
  else if (*scale < min_scale)
    scaler.say(keys::kScale, "scale",
               ", below " + format_double(min_scale) + ": step after step overflowed before this was saved",
               true);
  else if (*scale > max_scale)
    scaler.say(keys::kScale, "scale",
               ", above " + format_double(max_scale) +
                   ": gradients were zero for long, or the number is made up; the first steps overflow and "
                   "are skipped",
               true);
}

void judge_factors(const Scaler& scaler) {
  const auto growth = scaler.number(keys::kGrowthFactor), backoff = scaler.number(keys::kBackoffFactor);
  if (growth && !(*growth > 1)) scaler.say(keys::kGrowthFactor, "factor", ": must be above 1", true);
  if (backoff && !(*backoff > 0 && *backoff < 1))
    scaler.say(keys::kBackoffFactor, "factor", ": must be between 0 and 1", true);
  const auto tracker = scaler.number(keys::kGrowthTracker), interval = scaler.number(keys::kGrowthInterval);
  if (tracker && *tracker < 0) scaler.say(keys::kGrowthTracker, "tracker", ": counts steps, from 0", true);
  if (tracker && interval && *tracker > *interval)
    scaler.say(keys::kGrowthTracker, "tracker",
               ", beyond growth_interval " + scaler.text(keys::kGrowthInterval), true);
}

// GradScaler.load_state_dict reads all five and makes a tensor of the scale.
void judge_fields(const Scaler& scaler) {
  for (const auto key : training::scaler_fields()) {
    const NodeId node = scaler.node(key);
    if (node == kNoNode) {
      Hit hit = text_hit(key_path(scaler.at.path, key), "missing",
                         "absent: GradScaler raises KeyError '" + std::string(key) + "' when it is loaded",
                         report::PlaceKind::kProperty);
      scaler.emit(std::move(hit));
    } else if (!number_of(scaler.file.tree, node) && !is_kind(scaler.file.tree, node, Kind::kTensor)) {
      scaler.say(key, "wrong-type", " is no number: GradScaler cannot use it", false);
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
                         .help = "a gradient scaler that cannot scale",
                         .needs = kStats,
                         .params = kParams,
                         .fields = kFields,
                         .run = run};

}  // namespace ckpt::lint
