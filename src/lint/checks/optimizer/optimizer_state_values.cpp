// Numbers of one parameter's state that no optimizer can have reached together.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/optimizer/optimizer_layout.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"text"};

// Zero before the first step. (Adagrad's `sum` and Rprop's `step_size` are not.)
constexpr std::string_view kMoments[] = {"exp_avg",  "exp_avg_sq", "exp_inf",        "square_avg",
                                         "grad_avg", "acc_delta",  "momentum_buffer"};

struct Found {
  std::uint64_t count = 0;
  std::string path, text;  // of the first
};

struct Values {
  const Context& context;
  const std::map<std::uint32_t, std::size_t>& entries;  // by the index of the tensor's record

  const tensor::Stats* stats(NodeId state, std::string_view key) const {
    const Tree& tree = context.file().tree;
    const NodeId node = member(tree, state, key);
    if (!is_kind(tree, node, Kind::kTensor)) return nullptr;
    const auto entry = entries.find(tree.payload(node));
    const auto* stats = entry == entries.end() ? nullptr : context.stats(entry->second);
    return stats != nullptr && stats->decoded ? stats : nullptr;
  }
  // A moment with something in it, or "".
  std::string_view moved(NodeId state) const {
    for (const auto key : kMoments)
      if (const auto* found = stats(state, key); found != nullptr && found->zeros < found->numel) return key;
    return {};
  }
};

void note(Found& found, const std::string& path, std::string text) {
  ++found.count;
  if (found.count > 1) return;
  found.path = path;
  found.text = std::move(text);
}

// Step 0 with moments: bias correction starts anew over moments that are at their full size.
void judge_step(const Values& values, double step, NodeId state, const std::string& path, Found& found) {
  if (!(step <= 0)) return;  // NaN is optimizer-nonfinite's
  if (step < 0) return note(found, path, fmt::format("{:.0f}: steps are counted from 0", step));
  const auto moment = values.moved(state);
  if (!moment.empty())
    note(found, path,
         fmt::format("0, but {} is not zero: the count was reset, and bias correction starts anew", moment));
}

// max_exp_avg_sq is the elementwise maximum of what exp_avg_sq has been, so no statistic of it can be less.
void judge_maximum(const Values& values, NodeId state, const std::string& path, Found& found) {
  const auto *most = values.stats(state, "max_exp_avg_sq"), *now = values.stats(state, "exp_avg_sq");
  if (most == nullptr || now == nullptr || most->numel != now->numel || now->numel == 0 ||
      most->nonfinite() > 0 || now->nonfinite() > 0 || most->negative > 0)  // rules of their own
    return;
  const auto less = [&](std::string_view which, const tensor::Number& a, const tensor::Number& b) {
    const double top = tensor::to_double(a), current = tensor::to_double(b);
    if (!(top < current)) return false;
    note(found, key_path(path, "max_exp_avg_sq"),
         fmt::format("less than exp_avg_sq, whose maximum it is ({} elements {} and {})", which,
                     format_double(top), format_double(current)));
    return true;
  };
  if (!less("largest", most->max, now->max)) less("smallest", most->min, now->min);
}

void say(const Found& found, std::string_view kind, std::uint64_t states, report::Level level,
         const Emit& emit) {
  if (found.count == 0) return;
  Hit hit = text_hit(found.path, kind,
                     fmt::format("{} ({} of {})", found.text, found.count, plural(states, "parameter")));
  hit.level = level;
  hit.properties = {{"found", found.count}, {"parameters", states}};
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto level = training_state_level(context.profile);
  if (!level) return;
  const auto& file = context.file();
  const Tree& tree = file.tree;
  const Scalars scalars(context, rule);
  std::map<std::uint32_t, std::size_t> entries;
  for (const auto entry : context.selected(rule)) entries.emplace(file.entries[entry].record, entry);
  const Values values{context, entries};
  for (const auto& optimizer : optimizers_of(context)) {
    const bool torch =
        std::any_of(optimizer.groups.begin(), optimizer.groups.end(),
                    [&](const ParamGroup& group) { return torch_layout(tree, group.node) != nullptr; });
    const bool amsgrad =
        std::any_of(optimizer.groups.begin(), optimizer.groups.end(),
                    [&](const ParamGroup& group) { return is_set(tree, group.node, "amsgrad"); });
    Found steps, maxima;
    std::uint64_t states = 0;
    for (const auto& item : mapping_items(tree, optimizer.state)) {
      const auto path = optimizer.state_path(tree, item.key);
      ++states;
      const auto step_path = key_path(path, keys::kStep);
      if (const auto step = scalars.value(member(tree, item.value, keys::kStep), step_path))
        judge_step(values, *step, item.value, step_path, steps);
      if (amsgrad) judge_maximum(values, item.value, path, maxima);
    }
    // Other libraries may keep a `step` that they do not use.
    say(steps, "step", states, torch ? *level : std::min(*level, report::Level::kWarning), emit);
    say(maxima, "maximum", states, *level, emit);
  }
}

}  // namespace

const Check kOptimizerStateValues{.name = "optimizer-state-values",
                                  .help = "numbers of a parameter's state that contradict each other",
                                  .needs = kStats,
                                  .params = {},
                                  .fields = kFields,
                                  .run = run};

}  // namespace ckpt::lint
