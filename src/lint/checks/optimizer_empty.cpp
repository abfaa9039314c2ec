// Optimizer states that are there and hold nothing.
#include "lint/checks/common.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"text"};

bool has_parameters(const Tree& tree, NodeId groups) {
  for (const NodeId group : sequence(tree, groups))
    if (!sequence(tree, member(tree, group, "params")).empty()) return true;
  return false;
}

// T4: torch.optim.SGD keeps nothing without momentum.
bool is_stateless(const Tree& tree, NodeId groups) {
  for (const NodeId group : sequence(tree, groups)) {
    const NodeId momentum = member(tree, group, "momentum");
    const bool sgd = momentum != kNoNode && member(tree, group, "dampening") != kNoNode;
    if (!sgd || number_of(tree, momentum).value_or(0.0) != 0.0) return false;
  }
  return true;
}

std::optional<Hit> judge(const Tree& tree, NodeId state, const std::string& path, bool stepped) {
  if (!is_mapping(tree, state))
    return text_hit(path, "wrong-type", "expected a dict, found " + show(tree, state),
                    report::PlaceKind::kObject);
  if (mapping_items(tree, state).empty())
    return text_hit(path, "zero-shard",
                    "{}, as ZeroRedundancyOptimizer leaves on every rank but one: Lightning raises KeyError "
                    "'param_groups'",
                    report::PlaceKind::kObject);
  const NodeId groups = member(tree, state, "param_groups");
  if (!is_sequence(tree, groups))
    return text_hit(key_path(path, "param_groups"), "missing",
                    "absent or no list: Lightning raises KeyError 'param_groups'", report::PlaceKind::kArray);
  const NodeId inner = member(tree, state, "state");
  if (!stepped || !mapping_items(tree, inner).empty() || !has_parameters(tree, groups) ||
      is_stateless(tree, groups))
    return std::nullopt;
  return text_hit(key_path(path, "state"), "empty",
                  inner == kNoNode
                      ? "absent although training has taken steps: moments and step counts start from zero"
                      : "empty although training has taken steps: moments and step counts start from zero",
                  report::PlaceKind::kObject);
}

bool any_state(const Tree& tree, std::span<const NodeId> states) {
  for (const NodeId state : states)
    if (!mapping_items(tree, member(tree, state, "state")).empty()) return true;
  return false;
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const auto& items = context.items();
  const Tree& tree = context.file().tree;
  const auto level = training_state_level(context.profile);
  if (items.kind != lightning::FileKind::kTrainer || !level) return;
  const auto states = sequence(tree, items.optimizer_states);
  const bool stepped = number_of(tree, items.global_step).value_or(0.0) > 0.0;
  const bool elsewhere = any_state(tree, states);
  for (std::size_t i = 0; i < states.size(); ++i) {
    auto hit = judge(tree, states[i], index_path("optimizer_states", i), stepped);
    if (!hit) continue;
    hit->level = *level;
    // T16: global_step counts all optimizers; one that waits for its turn (a discriminator) has no state yet.
    if (hit->kind == "empty" && elsewhere) hit->level = std::min(*hit->level, report::Level::kWarning);
    emit(std::move(*hit));
  }
}

}  // namespace

const Check kOptimizerEmpty{.name = "optimizer-empty",
                            .help = "optimizer states without content",
                            .needs = kNothing,
                            .params = {},
                            .fields = kFields,
                            .run = run};

}  // namespace ckpt::lint
