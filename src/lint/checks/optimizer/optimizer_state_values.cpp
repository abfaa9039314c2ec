// Numbers in the state of one parameter that no optimizer reaches together.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/optimizer/optimizer_layout.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

// "-of-other": of another library's optimizer, which may keep a `step` that it does not use.
constexpr KindSpec kKinds[] = {
    {"step", "moment found parameters"},
    {"step-of-other", "moment found parameters"},
    {"negative-step", "step found parameters"},
    {"negative-step-of-other", "step found parameters"},
    {"maximum", "maximum current found parameters"},
    {"minimum", "maximum current found parameters"},
};

// Zero before the first step. (Adagrad's `sum` and Rprop's `step_size` are not.)
constexpr std::string_view kMoments[] = {"exp_avg",  "exp_avg_sq", "exp_inf",        "square_avg",
                                         "grad_avg", "acc_delta",  "momentum_buffer"};

struct Found {
  std::uint64_t count = 0;
  std::string path;  // of the first, as are the others
  std::string_view kind;
  std::vector<Field> fields;
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
  // A moment that is not all zero, or "".
  std::string_view moved(NodeId state) const {
    for (const auto key : kMoments)
      if (const auto* found = stats(state, key); found != nullptr && found->zeros < found->numel) return key;
    return {};
  }
};

void note(Found& found, const std::string& path, std::string_view kind, std::vector<Field> fields) {
  ++found.count;
  if (found.count > 1) return;
  found.path = path;
  found.kind = kind;
  found.fields = std::move(fields);
}

// Step 0 with moments: bias correction restarts over moments that are at their full size.
void judge_step(const Values& values, double step, NodeId state, const std::string& path, bool torch,
                Found& found) {
  if (!(step <= 0)) return;  // also NaN
  if (step < 0)
    return note(found, path, torch ? "negative-step" : "negative-step-of-other",
                {{"step", fmt::format("{:.0f}", step)}});
  const auto moment = values.moved(state);
  if (!moment.empty()) note(found, path, torch ? "step" : "step-of-other", {{"moment", std::string(moment)}});
}

// max_exp_avg_sq is the elementwise maximum of all past exp_avg_sq, so none of its statistics can be smaller.
void judge_maximum(const Values& values, NodeId state, const std::string& path, Found& found) {
  const auto *most = values.stats(state, "max_exp_avg_sq"), *now = values.stats(state, "exp_avg_sq");
  if (most == nullptr || now == nullptr || most->numel != now->numel || now->numel == 0 ||
      most->nonfinite() > 0 || now->nonfinite() > 0)
    return;
  const auto less = [&](std::string_view kind, const tensor::Number& a, const tensor::Number& b) {
    const double top = tensor::to_double(a), current = tensor::to_double(b);
    if (!(top < current)) return false;
    note(found, key_path(path, "max_exp_avg_sq"), kind,
         {{"maximum", format_double(top)}, {"current", format_double(current)}});
    return true;
  };
  if (!less("maximum", most->max, now->max)) less("minimum", most->min, now->min);
}

void say(Found found, std::uint64_t states, const Emit& emit) {
  if (found.count == 0) return;
  Hit hit = make_hit(std::move(found.path), found.kind);
  hit.fields = std::move(found.fields);
  hit.fields.push_back({"found", std::to_string(found.count)});
  hit.fields.push_back({"parameters", std::to_string(states)});
  hit.properties = {{"found", found.count}, {"parameters", states}};
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
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
        judge_step(values, *step, item.value, step_path, torch, steps);
      if (amsgrad) judge_maximum(values, item.value, path, maxima);
    }
    say(std::move(steps), states, emit);
    say(std::move(maxima), states, emit);
  }
}

}  // namespace

const Check kOptimizerStateValues{.name = "optimizer-state-values",
                                  .help = "numbers in a parameter's state that contradict each other",
                                  .needs = kStats,
                                  .params = {},
                                  .run = run,
                                  .kinds = kKinds};

}  // namespace ckpt::lint
