// Step counts that contradict the moments, or the progress of the training.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "lint/checks/list.h"
#include "lint/checks/optimizer/optimizer_layout.h"
#include "lint/checks/optimizer/state_tensors.h"

namespace ckpt::lint {
namespace {

// "-of-other": of another library's optimizer, which may keep a `step` that it does not use.
constexpr KindSpec kKinds[] = {
    {"step", "moment found parameters"},        {"step-of-other", "moment found parameters"},
    {"negative-step", "step found parameters"}, {"negative-step-of-other", "step found parameters"},
    {"one-step", "found parameters"},  // and the moments are of more
    {"behind", "step global-step parameters"},
};

// Zero before the first step. (Adagrad's `sum` and Rprop's `step_size` are not.)
constexpr std::string_view kMoments[] = {"exp_avg",  "exp_avg_sq", "exp_inf",        "square_avg",
                                         "grad_avg", "acc_delta",  "momentum_buffer"};

struct Found {
  std::uint64_t count = 0;
  std::string path;  // of the first, as are the others
  std::string_view kind;
  std::vector<Field> fields;

  void note(const std::string& at, std::string_view what, std::vector<Field> its = {}) {
    ++count;
    if (count > 1) return;
    path = at;
    kind = what;
    fields = std::move(its);
  }
  void say(std::uint64_t states, const Emit& emit) {
    if (count == 0) return;
    Hit hit = make_hit(std::move(path), kind);
    hit.fields = std::move(fields);
    hit.fields.push_back({"found", std::to_string(count)});
    hit.fields.push_back({"parameters", std::to_string(states)});
    hit.properties = {{"found", count}, {"parameters", states}};
    emit(std::move(hit));
  }
};

// A moment that is not all zero, or "".
std::string_view moved(const StateTensors& tensors, NodeId state) {
  for (const auto key : kMoments)
    if (const auto* found = tensors.stats(state, key); found != nullptr && found->zeros < found->numel)
      return key;
  return {};
}

// Step 0 with moments: bias correction restarts over moments that are at their full size.
void judge_step(const StateTensors& tensors, double step, NodeId state, const std::string& path, bool torch,
                Found& found) {
  if (!(step <= 0)) return;  // also NaN
  if (step < 0)
    return found.note(path, torch ? "negative-step" : "negative-step-of-other",
                      {{"step", fmt::format("{:.0f}", step)}});
  const auto moment = moved(tensors, state);
  if (!moment.empty()) found.note(path, torch ? "step" : "step-of-other", {{"moment", std::string(moment)}});
}

// --- moments of one step ---------------------------------------------------------------------------------

// After one step of Adam, exp_avg is (1-b1) g and exp_avg_sq is (1-b2) g^2, in every element. Of more steps
// that nearly cancel each other, exp_avg_sq is larger.
struct OneStep {
  std::vector<tensor::BoundJob> jobs;
  std::vector<std::string> paths;

  void add(const Tree& tree, const StateTensors& tensors, NodeId state, NodeId group,
           const std::string& path) {
    auto job = tensors.bound(state, "exp_avg_sq", "exp_avg");
    const auto betas = betas_of(tree, group);
    if (!job || !betas) return;
    constexpr double kSlack = 4;  // of squares
    const double first = 1 - betas->first_high, second = 1 - betas->second;
    job->bound = {kSlack * second / (first * first), least_normal(*job) / second, false, true};
    jobs.push_back(*job);
    paths.push_back(path);
  }
  void find(Found& found) const {
    const auto beyond = tensor::find_beyond_all(jobs, 1);
    for (std::size_t i = 0; i < beyond.size(); ++i)
      if (beyond[i].count > 0) found.note(paths[i], "one-step");
  }
};

// --- the progress ----------------------------------------------------------------------------------------

// The highest step of an optimizer, if far below global_step, although no scaler skipped steps and no other
// optimizer took them. A training_step that returns None skips some, so half of them is the limit.
std::optional<double> behind(const Context& context, double highest) {
  const auto& training = context.training();
  const auto global_step = training.progress.global_step;
  if (!global_step || training.progress.counts_batches || training.optimizers.size() != 1 ||
      !training.scalers.empty() || highest <= 0 || 2 * highest > *global_step)
    return std::nullopt;
  return global_step;
}

void judge_optimizer(const Context& context, const Optimizer& optimizer, const StateTensors& tensors,
                     const Scalars& scalars, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto groups = training::groups_by_id(tree, optimizer);
  const bool torch = std::any_of(optimizer.groups.begin(), optimizer.groups.end(), [&](const auto& group) {
    return torch_layout(tree, group.node) != nullptr;
  });
  Found steps, first_steps;
  OneStep one_step;
  double highest = 0;
  std::string highest_path;
  std::uint64_t states = 0;
  for (const auto& item : mapping_items(tree, optimizer.state)) {
    const auto path = key_path(optimizer.state_path(tree, item.key), keys::kStep);
    ++states;
    const auto step = scalars.value(member(tree, item.value, keys::kStep), path);
    if (!step) continue;
    judge_step(tensors, *step, item.value, path, torch, steps);
    if (*step > highest) {
      highest = *step;
      highest_path = path;
    }
    const auto group = groups.find(id_text(tree, item.key));
    if (*step == 1 && group != groups.end())
      one_step.add(tree, tensors, item.value, optimizer.groups[group->second].node, path);
  }
  if (torch) one_step.find(first_steps);
  const bool said = steps.count > 0 || first_steps.count > 0;
  steps.say(states, emit);
  first_steps.say(states, emit);
  const auto global_step = torch && !said ? behind(context, highest) : std::nullopt;
  if (!global_step) return;
  Hit hit = make_hit(highest_path, "behind");
  hit.fields = {{"step", fmt::format("{:.0f}", highest)},
                {"global-step", fmt::format("{:.0f}", *global_step)},
                {"parameters", std::to_string(states)}};
  hit.properties = {{"step", highest}, {"globalStep", *global_step}};
  emit(std::move(hit));
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const StateTensors tensors(context, rule);
  const Scalars scalars(context, rule);
  for (const auto& optimizer : optimizers_of(context))
    judge_optimizer(context, optimizer, tensors, scalars, emit);
}

}  // namespace

const Check kOptimizerStateValues{
    .name = "optimizer-state-values",
    .help = "step counts that contradict the moments or the training's progress",
    .needs = kStats,
    .params = {},
    .run = run,
    .kinds = kKinds};

}  // namespace ckpt::lint
