// Step counts of optimizers: how high they are, and on which device.
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

// --- how many ---------------------------------------------------------------------------------------------

constexpr ParamSpec kParams[] = {
    {"tolerance", ParamType::kInteger, "0", "how many steps beyond global_step are accepted"},
};
constexpr KindSpec kCountKinds[] = {
    {"beyond", "step global-step beyond parameters"},
    {"uneven", "lowest highest parameters"},
};

struct Steps {
  std::size_t count = 0, beyond = 0;
  double low = 0, high = 0;
  std::string highest;  // the path of `high`
};

Steps steps_of(const Tree& tree, const Optimizer& optimizer, const Scalars& scalars, double limit) {
  Steps steps;
  for (const auto& item : mapping_items(tree, optimizer.state)) {
    const auto path = key_path(optimizer.state_path(tree, item.key), keys::kStep);
    const auto step = scalars.value(member(tree, item.value, keys::kStep), path);
    if (!step) continue;
    if (steps.count == 0 || *step > steps.high) {
      steps.high = *step;
      steps.highest = path;
    }
    if (steps.count == 0 || *step < steps.low) steps.low = *step;
    ++steps.count;
    if (*step > limit) ++steps.beyond;
  }
  return steps;
}

void run_count(const Context& context, const Rule& rule, const Emit& emit) {
  const Tree& tree = context.file().tree;
  const auto& progress = context.training().progress;
  // What other loops count may be batches, or steps of one of their optimizers.
  const auto global_step = progress.of_trainer ? progress.global_step : HUGE_VAL;
  if (!global_step) return;
  const Scalars scalars(context, rule);
  for (const auto& optimizer : optimizers_of(context)) {
    const auto steps =
        steps_of(tree, optimizer, scalars, *global_step + static_cast<double>(rule.integer("tolerance")));
    const std::string parameters = std::to_string(steps.count);
    if (steps.beyond > 0) {  // fewer are healthy, a scaler skips steps
      Hit hit = make_hit(steps.highest, "beyond");
      hit.fields = {{"step", fmt::format("{:.0f}", steps.high)},
                    {"global-step", fmt::format("{:.0f}", *global_step)},
                    {"beyond", std::to_string(steps.beyond)},
                    {"parameters", parameters}};
      hit.properties = {{"step", steps.high}, {"globalStep", *global_step}};
      emit(std::move(hit));
    } else if (steps.count > 1 && steps.low != steps.high) {
      // Parameters that were unfrozen later, or unused in some steps, are behind and healthy.
      Hit hit = make_hit(optimizer.states_path(), "uneven", report::PlaceKind::kObject);
      hit.fields = {{"lowest", fmt::format("{:.0f}", steps.low)},
                    {"highest", fmt::format("{:.0f}", steps.high)},
                    {"parameters", parameters}};
      hit.properties = {{"lowest", steps.low}, {"highest", steps.high}};
      emit(std::move(hit));
    }
  }
}

// --- where ------------------------------------------------------------------------------------------------

constexpr KindSpec kDeviceKinds[] = {{"step-device", "device parameters"}};

// By id: whether its group keeps the step on the device (torch/optim/adam.py: capturable or fused).
std::map<std::string, bool> ids_on_device(const Tree& tree, const Optimizer& optimizer) {
  std::map<std::string, bool> ids;
  for (const ParamGroup& group : optimizer.groups) {
    // ASGD creates its step on the parameter's device, capturable or not (torch/optim/asgd.py, _init_group).
    const bool asgd =
        member(tree, group.node, "lambd") != kNoNode && member(tree, group.node, "t0") != kNoNode;
    const bool on_device =
        asgd || is_set(tree, group.node, "capturable") || is_set(tree, group.node, "fused");
    for (const NodeId id : group.ids) ids[id_text(tree, id)] = on_device;
  }
  return ids;
}

std::string_view location_of(const Checkpoint& file, NodeId node) {
  if (!is_kind(file.tree, node, Kind::kTensor)) return {};
  const auto& view = file.tensor_records[file.tree.payload(node)].view;
  return view.has_storage() ? std::string_view(file.storages[view.storage].location) : std::string_view{};
}

void run_device(const Context& context, const Rule&, const Emit& emit) {
  const auto& file = context.file();
  const Tree& tree = file.tree;
  for (const auto& optimizer : optimizers_of(context)) {
    const auto on_device = ids_on_device(tree, optimizer);
    std::uint64_t wrong = 0;
    std::string first, location;
    for (const auto& item : mapping_items(tree, optimizer.state)) {
      const auto where = location_of(file, member(tree, item.value, keys::kStep));
      const auto id = on_device.find(id_text(tree, item.key));
      if (!where.starts_with("cuda") || id == on_device.end() || id->second) continue;
      ++wrong;
      if (wrong > 1) continue;
      first = key_path(optimizer.state_path(tree, item.key), keys::kStep);
      location = where;
    }
    if (wrong == 0) continue;
    Hit hit = make_hit(first, "step-device");
    hit.fields = {{"device", one_line(location)}, {"parameters", std::to_string(wrong)}};
    hit.properties = {{"parameters", wrong}, {"device", location}};
    emit(std::move(hit));
  }
}

}  // namespace

const Check kOptimizerStepCount{
    .name = "optimizer-step-count",
    .help = "optimizers whose parameters took more steps than training, or different numbers of steps",
    .needs = kStats,
    .params = kParams,
    .run = run_count,
    .kinds = kCountKinds};

const Check kOptimizerStepDevice{.name = "optimizer-step-device",
                                 .help = "step counts on a GPU that the optimizer expects on the CPU",
                                 .needs = kNothing,
                                 .params = {},
                                 .run = run_device,
                                 .kinds = kDeviceKinds};

}  // namespace ckpt::lint
