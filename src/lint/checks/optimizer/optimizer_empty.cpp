// Optimizer states that are there and hold nothing, or nothing that a parameter finds again.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/optimizer/optimizer_layout.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"text"};

using report::Level;
using report::PlaceKind;

// --- what is in one optimizer's state ---------------------------------------------------------------------

// `state` has parameters' states (dicts) and whatever an optimizer keeps for itself (MADGRAD's "k").
struct Contents {
  std::size_t states = 0;                    // dicts, empty or not
  std::size_t filled = 0;                    // of these, with anything in them
  std::size_t matched = 0;                   // of these, under an id of the groups
  std::size_t buffers_due = 0, buffers = 0;  // of SGD with momentum: states, and those with a momentum_buffer
  std::string strange;                       // the first key that is no id of the groups
};

Contents contents_of(const Tree& tree, const Optimizer& optimizer) {
  Contents contents;
  const auto groups = training::groups_by_id(tree, optimizer);
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
    ++contents.buffers_due;
    if (buffer != kNoNode && !is_kind(tree, buffer, Kind::kNone)) ++contents.buffers;
  }
  return contents;
}

// --- what the rest of the file says about it --------------------------------------------------------------

struct Surroundings {
  double global_step = 0;
  bool others = false;          // an optimizer has state
  std::optional<double> taken;  // the steps of all that have state; nullopt where one does not say
  bool skipped = false;         // a scaler whose last step overflowed, early enough for all to have done so
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
  // Every skipped step halves the scale: float32 has run out of halves long before so many.
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
  Level level;  // of what is certain under this profile

  Hit hit(const std::string& path, std::string_view kind, std::string text, Level most = Level::kError,
          PlaceKind place = PlaceKind::kObject) const {
    Hit result = text_hit(path, kind, std::move(text), place);
    result.level = std::min(level, most);
    return result;
  }

  // Lightning writes {} for its stand-in where configure_optimizers returned None (core/optimizer.py,
  // _MockOptimizer); it is then the only one and has no scheduler.
  Hit nothing(const std::string& path) const {
    const bool mock = optimizers == 1 && sequence(tree, context.items().lr_schedulers).empty();
    return hit(
        path, "zero-shard",
        mock ? "{}: configure_optimizers returned None, or this is what ZeroRedundancyOptimizer leaves on "
               "every rank but one (then Lightning raises KeyError 'param_groups')"
             : "{}, as ZeroRedundancyOptimizer leaves on every rank but one: Lightning raises KeyError "
               "'param_groups'",
        mock ? Level::kWarning : Level::kError);
  }

  std::optional<Hit> structure(const Optimizer& optimizer) const {
    if (!is_mapping(tree, optimizer.node))
      return hit(optimizer.path, "wrong-type", "expected a dict, found " + show(tree, optimizer.node));
    if (mapping_items(tree, optimizer.node).empty()) return nothing(optimizer.path);
    const auto groups_path = optimizer.groups_path();
    if (optimizer.groups_node == kNoNode &&
        optimizer.state == kNoNode)  // a wrapper may have a format of its own
      return hit(groups_path, "missing",
                 "absent, like state: only an optimizer with a load_state_dict of its own can take this",
                 Level::kWarning, PlaceKind::kArray);
    if (!is_sequence(tree, optimizer.groups_node))
      return hit(groups_path, "missing", "absent or no list: Lightning raises KeyError 'param_groups'",
                 Level::kError, PlaceKind::kArray);
    for (std::size_t g = 0; g < optimizer.groups.size(); ++g)
      if (!is_sequence(tree, optimizer.groups[g].params))
        return hit(key_path(optimizer.group_path(g), keys::kParams), "missing",
                   "absent or no list: Lightning raises KeyError 'params'", Level::kError, PlaceKind::kArray);
    return std::nullopt;
  }

  // nullopt where others took all the steps.
  std::optional<Level> level_of_empty(bool certain) const {
    if (!around.others && around.skipped) return Level::kNote;
    if (!around.others) return certain ? Level::kError : Level::kWarning;
    // global_step counts all optimizers; one that waits for its turn (a discriminator) has no state yet.
    if (!around.taken) return Level::kNote;
    return *around.taken >= around.global_step ? std::nullopt : std::optional(Level::kWarning);
  }

  std::optional<Hit> empty(const Optimizer& optimizer, bool certain) const {
    const auto most = level_of_empty(certain);
    if (!most) return std::nullopt;
    std::string text = optimizer.state == kNoNode ? "absent" : "empty";
    text += " although training has taken steps: ";
    if (!around.others && around.skipped)
      text += "the gradient scaler skipped all of them, or moments and step counts start from zero";
    else if (around.others)
      text += (around.taken ? fmt::format("others took {:.0f} of {:.0f}, ", *around.taken, around.global_step)
                            : std::string("others did, ")) +
              "and this one waits for its turn, or its moments and step counts start from zero";
    else if (!certain)
      text += "an optimizer that keeps nothing, or moments and step counts start from zero";
    else
      text += "moments and step counts start from zero";
    return hit(optimizer.states_path(), "empty", std::move(text), *most);
  }

  std::optional<Hit> contents(const Optimizer& optimizer) const {
    const bool plain = std::all_of(optimizer.groups.begin(), optimizer.groups.end(),
                                   [&](const ParamGroup& group) { return is_plain_sgd(tree, group.node); });
    if (around.global_step <= 0 || optimizer.parameters == 0 || plain) return std::nullopt;
    const bool certain = std::any_of(optimizer.groups.begin(), optimizer.groups.end(),
                                     [&](const ParamGroup& group) { return keeps_state(tree, group.node); });
    const auto found = contents_of(tree, optimizer);
    const auto path = optimizer.states_path();
    if (found.states == 0) return empty(optimizer, certain);
    if (found.filled == 0)  // a defaultdict that was asked for its parameters: by a class that keeps nothing?
      return hit(path, "empty",
                 fmt::format("{} without content although training has taken steps: moments and step counts "
                             "start from zero",
                             found.states == 1 ? "1 entry" : fmt::format("{} entries", found.states)),
                 certain ? Level::kError : Level::kNote);
    if (found.matched == 0)
      return hit(path, "detached",
                 fmt::format("{} under keys that no group has ({} is the first): all {} start from zero",
                             plural(found.states, "state"), one_line(found.strange),
                             plural(optimizer.parameters, "parameter")),
                 certain ? Level::kError : Level::kWarning);
    if (found.buffers_due > 0 && found.buffers == 0)
      return hit(
          path, "empty",
          fmt::format("momentum is set, but no momentum_buffer is there in {}: momentum starts from zero",
                      plural(found.buffers_due, "state")));
    return std::nullopt;
  }
};

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto level = training_state_level(context.profile);
  if (!level) return;
  const auto optimizers = optimizers_of(context);
  const auto around = surroundings_of(context, rule, optimizers);
  const Judge judge{context, context.file().tree, around, optimizers.size(), *level};
  for (const auto& optimizer : optimizers) {
    auto hit = judge.structure(optimizer);
    if (!hit) hit = judge.contents(optimizer);
    if (hit) emit(std::move(*hit));
  }
}

}  // namespace

const Check kOptimizerEmpty{.name = "optimizer-empty",
                            .help = "optimizer states without content, or under ids that no group has",
                            .needs = kStats,
                            .params = {},
                            .fields = kFields,
                            .run = run};

}  // namespace ckpt::lint
