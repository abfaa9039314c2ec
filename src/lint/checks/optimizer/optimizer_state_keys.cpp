// States of parameters without a tensor that their optimizer needs.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/optimizer/optimizer_layout.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kFields[] = {"text"};

bool is_there(const Tree& tree, NodeId state, std::string_view key) {
  const NodeId node = member(tree, state, key);
  return node != kNoNode && !is_kind(tree, node, Kind::kNone);
}

// The first thing that a state lacks; a state without anything is made anew by step().
std::string_view lacking(const Tree& tree, NodeId state, NodeId group) {
  const auto* layout = torch_layout(tree, group);
  if (layout == nullptr || !is_torch(tree, group) || mapping_items(tree, state).empty()) return {};
  for (const auto key : layout->state)
    if (!key.empty() && !is_there(tree, state, key)) return key;
  const bool amsgrad = layout->name == "Adam or AdamW" && is_set(tree, group, "amsgrad");
  return amsgrad && !is_there(tree, state, "max_exp_avg_sq") ? "max_exp_avg_sq" : std::string_view{};
}

void judge(const Tree& tree, const Optimizer& optimizer, const Emit& emit) {
  const auto groups = training::groups_by_id(tree, optimizer);
  std::uint64_t incomplete = 0, states = 0;
  std::string path;
  std::string_view key, name;
  for (const auto& item : mapping_items(tree, optimizer.state)) {
    const auto group = groups.find(id_text(tree, item.key));
    if (group == groups.end()) continue;
    ++states;
    const NodeId node = optimizer.groups[group->second].node;
    const auto missing = lacking(tree, item.value, node);
    if (missing.empty()) continue;
    ++incomplete;
    if (incomplete > 1) continue;
    key = missing;
    name = torch_layout(tree, node)->name;
    path = optimizer.state_path(tree, item.key);
  }
  if (incomplete == 0) return;
  Hit hit = text_hit(key_path(path, key), "missing",
                     fmt::format("absent, but {} needs it ({} of {}): the first step raises KeyError '{}'",
                                 name, incomplete, plural(states, "state"), key),
                     report::PlaceKind::kProperty);
  hit.properties = {{"incomplete", incomplete}, {"states", states}};
  emit(std::move(hit));
}

void run(const Context& context, const Rule&, const Emit& emit) {
  const auto level = training_state_level(context.profile);
  if (!level) return;
  for (const auto& optimizer : optimizers_of(context))
    judge(context.file().tree, optimizer, [&](Hit hit) {
      hit.level = *level;
      emit(std::move(hit));
    });
}

}  // namespace

const Check kOptimizerStateKeys{.name = "optimizer-state-keys",
                                .help = "states of parameters without a tensor that their optimizer needs",
                                .needs = kNothing,
                                .params = {},
                                .fields = kFields,
                                .run = run};

}  // namespace ckpt::lint
