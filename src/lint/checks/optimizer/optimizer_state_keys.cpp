// States of parameters that lack a tensor that their optimizer needs.
#include "lint/checks/list.h"
#include "lint/checks/optimizer/optimizer_layout.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr KindSpec kKinds[] = {{"missing", "key optimizer incomplete states"}};

bool is_there(const Tree& tree, NodeId state, std::string_view key) {
  const NodeId node = member(tree, state, key);
  return node != kNoNode && !is_kind(tree, node, Kind::kNone);
}

// All others of torch's classes begin step() with state["step"].
bool counts_steps(std::string_view layout) {
  return layout != "SGD" && layout != "LBFGS" && layout != "Muon";
}

// The first tensor that a state lacks. step() fills in a state that is empty.
std::string_view lacking(const Tree& tree, NodeId state, NodeId group) {
  const auto* layout = torch_layout(tree, group);
  if (layout == nullptr || !is_torch(tree, group) || mapping_items(tree, state).empty()) return {};
  if (counts_steps(layout->name) && !is_there(tree, state, keys::kStep)) return keys::kStep;
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
  Hit hit = make_hit(key_path(path, key), "missing", report::PlaceKind::kProperty);
  hit.fields = {{"key", std::string(key)},
                {"optimizer", std::string(name)},
                {"incomplete", std::to_string(incomplete)},
                {"states", std::to_string(states)}};
  hit.properties = {{"incomplete", incomplete}, {"states", states}};
  emit(std::move(hit));
}

void run(const Context& context, const Rule&, const Emit& emit) {
  for (const auto& optimizer : optimizers_of(context)) judge(context.file().tree, optimizer, emit);
}

}  // namespace

const Check kOptimizerStateKeys{.name = "optimizer-state-keys",
                                .help = "states of parameters that lack a tensor that their optimizer needs",
                                .needs = kNothing,
                                .params = {},
                                .run = run,
                                .kinds = kKinds};

}  // namespace ckpt::lint
