// The state of torch.amp.GradScaler, wherever it stands.
#include <cmath>

#include "base/text.h"
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr ParamSpec kParams[] = {
    {"min-scale", ParamType::kNumber, "1.0", "a scale below this is a warning"},
};
constexpr std::string_view kFields[] = {"text"};

// T29: found by its shape. The key is the precision plugin's class name and changed four times since 1.6.
bool is_scaler(const Tree& tree, NodeId node) {
  for (const auto key : {"scale", "growth_factor", "backoff_factor", "growth_interval"})
    if (member(tree, node, key) == kNoNode) return false;
  return true;
}

struct Scaler {
  const Tree& tree;
  NodeId node;
  std::string path;
  const Emit& emit;

  std::optional<double> number(std::string_view key) const {
    return number_of(tree, member(tree, node, key));
  }
  void say(std::string_view key, std::string_view kind, const std::string& text, bool mild) const {
    Hit hit = text_hit(key_path(path, key), kind, show(tree, member(tree, node, key)) + text);
    if (mild) hit.level = report::Level::kWarning;
    emit(std::move(hit));
  }
};

void judge_scale(const Scaler& scaler, double min_scale) {
  const auto scale = scaler.number("scale");
  if (!scale) return;  // a tensor in files of torch 1.5 and before
  if (!std::isfinite(*scale))
    scaler.say("scale", "scale", ": the loss is multiplied with it, every gradient is lost", false);
  else if (*scale <= 0)
    scaler.say("scale", "scale", ": every gradient becomes zero, or its sign turns", false);
  else if (*scale < min_scale)
    scaler.say("scale", "scale",
               ", below " + format_double(min_scale) + ": step after step overflowed before this was saved",
               true);
}

void judge_factors(const Scaler& scaler) {
  const auto growth = scaler.number("growth_factor"), backoff = scaler.number("backoff_factor");
  if (growth && !(*growth > 1)) scaler.say("growth_factor", "factor", ": must be above 1", true);
  if (backoff && !(*backoff > 0 && *backoff < 1))
    scaler.say("backoff_factor", "factor", ": must be between 0 and 1", true);
  const auto tracker = scaler.number("_growth_tracker"), interval = scaler.number("growth_interval");
  if (tracker && interval && *tracker > *interval)
    scaler.say("_growth_tracker", "tracker", ", beyond growth_interval " + format_double(*interval), true);
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  if (tree.root() == kNoNode) return;
  for (const auto& item : mapping_items(tree, tree.root())) {
    if (!is_scaler(tree, item.value)) continue;
    std::string path;
    value::append_key(path, tree, item.key);
    const Scaler scaler{tree, item.value, std::move(path), emit};
    judge_scale(scaler, rule.number("min-scale"));
    judge_factors(scaler);
  }
}

}  // namespace

const Check kScalerValue{.name = "scaler-value",
                         .help = "a gradient scaler that cannot scale",
                         .needs = kNothing,
                         .params = kParams,
                         .fields = kFields,
                         .run = run};

}  // namespace ckpt::lint
