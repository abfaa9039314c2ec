// Optimizer states that hold nothing, or nothing that belongs to a parameter of the groups.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/optimizer/optimizer_layout.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

using report::PlaceKind;

// "x-or-y": y is a healthy explanation that the file does not rule out.
constexpr KindSpec kKinds[] = {
    {"zero-shard", ""},
    {"mock-or-shard", ""},
    {"wrong-type", "expected found"},
    {"own-format", ""},
    {"missing", "key"},
    {"empty", "steps"},
    {"empty-or-skipped", "steps"},
    {"empty-or-stateless", "steps"},
    {"empty-or-waiting", "steps"},
    {"empty-beside-others", "steps taken"},
    {"hollow", "states steps"},
    {"hollow-or-stateless", "states steps"},
    {"detached", "states first parameters"},
    {"detached-or-own-keys", "states first parameters"},
    {"no-buffer", "states"},
};

// --- the state of one optimizer -------
// ---------------------------------------------------------------------

// `state` holds the states of parameters (dicts) and what the optimizer keeps for itself (MADGRAD's "k").
struct Contents {
  std::size_t states = 0;          // dicts, empty or not
  std::size_t filled = 0;          // of these, not empty
  std::size_t matched = 0;         // of these, under an id of the groups
  std::size_t without_buffer = 0;  // states of the groups of SGD with momentum that have no buffer at all
  std::string strange;             // the first key that no group has
};

Contents contents_of(const Tree& tree, const Optimizer& optimizer) {
  Contents contents;
  const auto groups = training::groups_by_id(tree, optimizer);
  struct Buffers {
    std::size_t due = 0, there = 0;
  };
  std::vector<Buffers> buffers(optimizer.groups.size());
  std::vector<bool> momentum(optimizer.groups.size());
  for (std::size_t g = 0; g < momentum.size(); ++g) {
    const auto* layout = torch_layout(tree, optimizer.groups[g].node);
    momentum[g] = layout != nullptr && layout->name == "SGD" && !is_plain_sgd(tree, optimizer.groups[g].node);
  }
  for (const auto& item : mapping_items(tree, optimizer.state)) {
    if (!is_mapping(tree, item.value)) continue;
    ++contents.states;
    if (!mapping_items(tree, item.value).empty()) ++contents.filled;
    auto id = id_text(tree, item.key);
    const auto group = groups.find(id);
    if (group == groups.end()) {
      if (contents.strange.empty()) contents.strange = std::move(id);
      continue;
    }
    ++contents.matched;
    if (!momentum[group->second]) continue;
    const NodeId buffer = member(tree, item.value, "momentum_buffer");
    ++buffers[group->second].due;
    if (buffer != kNoNode && !is_kind(tree, buffer, Kind::kNone)) ++buffers[group->second].there;
  }
  for (const Buffers& group : buffers)
    if (group.there == 0) contents.without_buffer += group.due;
  return contents;
}

// --- the rest of the file ----------------- --------------------------------------------------------------

struct Surroundings {
  double global_step = 0;
  bool others = false;          // an optimizer has state
  std::optional<double> taken;  // the steps of all that have state; nullopt if one has no count
  bool skipped = false;         // a scaler whose last step overflowed, early enough that all may have
};

std::optional<double> steps_of(const Tree& tree, const Optimizer& optimizer, const Scalars& scalars) {
  std::optional<double> most;
  for (const auto& item : mapping_items(tree, optimizer.state)) {
    const auto path = key_path(optimizer.state_path(tree, item.key), keys::kStep);
    const auto step = scalars.value(member(tree, item.value, keys::kStep), path);
    if (step) most = std::max(most.value_or(*step), *step);
  }
  return most;
}

Surroundings surroundings_of(const Context& context, const Rule& rule,
                             std::span<const Optimizer> optimizers) {
  const Tree& tree = context.file().tree;
  Surroundings around;
  around.global_step = context.training().progress.global_step.value_or(0.0);
  // Every skipped step halves the scale, and float32 runs out of halves long before this many.
  constexpr double kMostSkips = 200;
  for (const auto& scaler : context.training().scalers)
    around.skipped =
        around.skipped || (number_of(tree, member(tree, scaler.node, keys::kGrowthTracker)) == 0.0 &&
                           around.global_step <= kMostSkips);
  if (optimizers.size() < 2) return around;
  const Scalars scalars(context, rule);
  around.taken = 0.0;
  for (const auto& optimizer : optimizers) {
    if (mapping_items(tree, optimizer.state).empty()) continue;
    around.others = true;
    const auto steps = steps_of(tree, optimizer, scalars);
    around.taken = steps && around.taken ? std::optional(*around.taken + *steps) : std::nullopt;
  }
  return around;
}

// --- the judgement ----------------------------------------------------------------------------------------

struct Judge {
  const Context& context;
  const Tree& tree;
  const Surroundings& around;
  std::size_t optimizers;

  static Hit hit(const std::string& path, std::string_view kind, std::vector<Field> fields = {},
                 PlaceKind place = PlaceKind::kObject) {
    Hit result = make_hit(path, kind, place);
    result.fields = std::move(fields);
    return result;
  }

  // Lightning writes {} for its stand-in where configure_optimizers returned None (core/optimizer.py,
  // _MockOptimizer). It is then the only optimizer and has no scheduler.
  Hit nothing(const std::string& path) const {
    const bool mock = optimizers == 1 && sequence(tree, context.items().lr_schedulers).empty();
    return hit(path, mock ? "mock-or-shard" : "zero-shard");
  }

  // A list that Lightning reads under `key`.
  std::optional<Hit> list(NodeId node, const std::string& path, std::string_view key) const {
    if (is_sequence(tree, node)) return std::nullopt;
    if (node == kNoNode) return hit(path, "missing", {{"key", std::string(key)}}, PlaceKind::kArray);
    return hit(path, "wrong-type", {{"expected", "list"}, {"found", show(tree, node)}}, PlaceKind::kArray);
  }

  std::optional<Hit> structure(const Optimizer& optimizer) const {
    if (!is_mapping(tree, optimizer.node))
      return hit(optimizer.path, "wrong-type", {{"expected", "dict"}, {"found", show(tree, optimizer.node)}});
    if (mapping_items(tree, optimizer.node).empty()) return nothing(optimizer.path);
    const auto groups_path = optimizer.groups_path();
    // A wrapper may have its own format.
    if (optimizer.groups_node == kNoNode && optimizer.state == kNoNode)
      return hit(groups_path, "own-format", {}, PlaceKind::kArray);
    if (auto wrong = list(optimizer.groups_node, groups_path, keys::kParamGroups)) return wrong;
    for (std::size_t g = 0; g < optimizer.groups.size(); ++g) {
      const auto path = key_path(optimizer.group_path(g), keys::kParams);
      if (auto wrong = list(optimizer.groups[g].params, path, keys::kParams)) return wrong;
    }
    return std::nullopt;
  }

  std::optional<Hit> empty(const Optimizer& optimizer, bool certain) const {
    const auto path = optimizer.states_path();
    const Field steps{"steps", fmt::format("{:.0f}", around.global_step)};
    if (!around.others && around.skipped) return hit(path, "empty-or-skipped", {steps});
    if (!around.others) return hit(path, certain ? "empty" : "empty-or-stateless", {steps});
    // global_step counts all optimizers. One that waits for its turn (a discriminator) has no state yet.
    if (!around.taken) return hit(path, "empty-or-waiting", {steps});
    if (*around.taken >= around.global_step) return std::nullopt;
    return hit(path, "empty-beside-others", {steps, {"taken", fmt::format("{:.0f}", *around.taken)}});
  }

  std::optional<Hit> contents(const Optimizer& optimizer) const {
    const bool plain = std::all_of(optimizer.groups.begin(), optimizer.groups.end(),
                                   [&](const ParamGroup& group) { return is_plain_sgd(tree, group.node); });
    if (around.global_step <= 0 || optimizer.parameters == 0 || plain) return std::nullopt;
    const bool certain = std::any_of(optimizer.groups.begin(), optimizer.groups.end(),
                                     [&](const ParamGroup& group) { return keeps_state(tree, group.node); });
    const auto found = contents_of(tree, optimizer);
    const auto path = optimizer.states_path();
    const Field states{"states", std::to_string(found.states)};
    if (found.states == 0) return empty(optimizer, certain);
    // A defaultdict gets empty entries when it is read, also from a class that keeps nothing.
    if (found.filled == 0)
      return hit(path, certain ? "hollow" : "hollow-or-stateless",
                 {states, {"steps", fmt::format("{:.0f}", around.global_step)}});
    if (found.matched == 0)
      return hit(
          path, certain ? "detached" : "detached-or-own-keys",
          {states, {"first", one_line(found.strange)}, {"parameters", std::to_string(optimizer.parameters)}});
    if (found.without_buffer > 0)
      return hit(path, "no-buffer", {{"states", std::to_string(found.without_buffer)}});
    return std::nullopt;
  }
};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto optimizers = optimizers_of(context);
  const auto around = surroundings_of(context, rule, optimizers);
  const Judge judge{context, context.file().tree, around, optimizers.size()};
  for (const auto& optimizer : optimizers) {
    auto hit = judge.structure(optimizer);
    if (!hit) hit = judge.contents(optimizer);
    if (!hit) continue;
    // A loop of its own may count before it steps.
    if (!context.training().progress.of_trainer) hit->level = report::Level::kWarning;
    emit(std::move(*hit));
  }
}

}  // namespace

const Check kOptimizerEmpty{.name = "optimizer-empty",
                            .help = "optimizer states that are empty, or under ids that no group has",
                            .needs = kStats,
                            .params = {},
                            .run = run,
                            .kinds = kKinds};

}  // namespace ckpt::lint
