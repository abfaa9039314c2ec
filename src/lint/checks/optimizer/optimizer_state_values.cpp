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
    {"behind", "step global-step parameters"},  {"ahead", "step global-step"},
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

// What global_step counts, if it is the steps of the only optimizer: no scaler skipped some, and no other
// loop counts samples or batches.
std::optional<double> steps_of_trainer(const Context& context) {
  const auto& training = context.training();
  if (context.items().kind != training::FileKind::kTrainer || training.progress.counts_batches ||
      training.optimizers.size() != 1 || !training.scalers.empty())
    return std::nullopt;
  return training.progress.global_step;
}

// A training_step that returns None skips steps, so half of them is the limit; and a closure may be called
// several times a step.
std::string_view contradiction(double highest, double global_step) {
  constexpr double kFew = 100;
  if (highest <= 0) return {};
  if (2 * highest < global_step) return "behind";
  return highest > 2 * global_step + kFew ? "ahead" : std::string_view();
}

// Prodigy and D-Adaptation count in `k` of the group, Apex and timm in `step` of it.
bool counts_by_group(const Tree& tree, const Optimizer& optimizer) {
  return std::any_of(optimizer.groups.begin(), optimizer.groups.end(), [&](const auto& group) {
    return number_of(tree, member(tree, group.node, "k")).value_or(0) > 0 ||
           number_of(tree, member(tree, group.node, keys::kStep)).value_or(0) > 0;
  });
}

void judge_optimizer(const Context& context, const Optimizer& optimizer, const StateTensors& tensors,
                     const Scalars& scalars, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto groups = training::groups_by_id(tree, optimizer);
  const bool torch = std::any_of(optimizer.groups.begin(), optimizer.groups.end(), [&](const auto& group) {
    return torch_layout(tree, group.node) != nullptr;
  });
  if (!torch && counts_by_group(tree, optimizer)) return;
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
  const auto global_step = torch && !said ? steps_of_trainer(context) : std::nullopt;
  if (!global_step) return;
  const std::string_view kind = contradiction(highest, *global_step);
  if (kind.empty()) return;
  Hit hit = make_hit(highest_path, kind);
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
