// Training that did not train: weights that equal those of the base although steps were made.
#include <algorithm>
#include <map>
#include <set>

#include "lint/checks/common.h"
#include "lint/checks/cross/cross.h"
#include "lint/checks/list.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"all", "trained"};
constexpr ParamSpec kParams[] = {
    {"min-dims", ParamType::kInteger, "2", "of trained: weights with fewer dimensions are not judged"},
    {"of", ParamType::kString, "",
     "all (the model as a whole) | trained (single weights that an optimizer has a state for)", kChoices},
};
constexpr KindSpec kKinds[] = {
    {"identical", "count from to", "of=all"},
    {"unchanged", "name from to", "of=trained"},
};

struct WeightPair {
  const diff::Place* base;
  const diff::Place* now;
};

bool is_weight(const diff::Place& place) {
  return place.key.space == diff::Space::kWeight && place.slot.kind == diff::SlotKind::kTensor;
}

// Floating weights of both. Counters change whenever a model is in train mode, and prove nothing.
std::vector<WeightPair> float_pairs(const diff::Diff& diff) {
  std::map<std::string_view, const diff::Place*> base;
  for (const diff::Place& place : diff.sides[0].places)
    if (is_weight(place)) base.emplace(place.key.text, &place);
  std::vector<WeightPair> pairs;
  for (const diff::Place& place : diff.sides[1].places) {
    if (!is_weight(place) || !tensor::is_floating(diff.sides[1].record(place.slot).view.dtype)) continue;
    if (const auto old = base.find(place.key.text); old != base.end()) pairs.push_back({old->second, &place});
  }
  return pairs;
}

// Paths of weights that differ, or that could not be compared.
std::set<std::string_view> changed_weights(const diff::Diff& diff) {
  std::set<std::string_view> paths;
  for (const diff::Change& change : diff.changes)
    if (change.section == training::Section::kWeights && change.kind != diff::ChangeKind::kRenamed)
      paths.insert(change.path);
  for (const diff::NotCompared& one : diff.not_compared) paths.insert(one.path);
  return paths;
}

// The weights that an optimizer keeps a state for, as far as the file tells which these are.
std::set<std::string_view> trained_weights(const Context& context) {
  std::set<std::string_view> names;
  const auto& optimizers = context.training().optimizers;
  const auto& params = context.diff->optimizers[1];
  const Tree& tree = context.file().tree;
  for (std::size_t i = 0; i < std::min(optimizers.size(), params.size()); ++i)
    for (const auto& parameter : mapping_items(tree, optimizers[i].state)) {
      if (!params[i].known() || mapping_items(tree, parameter.value).empty()) continue;
      const auto name = params[i].names.find(training::id_text(tree, parameter.key));
      if (name != params[i].names.end()) names.insert(name->second);
    }
  return names;
}

void add_steps(const Context& context, Hit& hit) {
  hit.fields.push_back({"from", show(context.base->file->tree, context.base->items.global_step)});
  hit.fields.push_back({"to", show(context.file().tree, context.items().global_step)});
}

void judge_all(const Context& context, std::size_t weights, const Emit& emit) {
  Hit hit = make_hit(context.items().state_dict_path, "identical", report::PlaceKind::kObject);
  hit.base_path = context.base->items.state_dict_path;
  hit.fields = {{"count", std::to_string(weights)}};
  add_steps(context, hit);
  hit.properties = {{"weights", std::uint64_t{weights}}};
  emit(std::move(hit));
}

// A bias in front of a batch norm gets no gradient in any healthy model, hence min-dims.
void judge_trained(const Context& context, const Rule& rule, const std::vector<WeightPair>& unchanged,
                   const Emit& emit) {
  const auto trained = trained_weights(context);
  for (const WeightPair& pair : unchanged) {
    const std::size_t dims = context.diff->sides[1].record(pair.now->slot).view.shape.size();
    if (dims < static_cast<std::size_t>(rule.integer("min-dims")) || !trained.contains(pair.now->key.text))
      continue;
    Hit hit = make_hit(std::string(pair.now->path), "unchanged", report::PlaceKind::kTensor);
    hit.base_path = pair.base->path;
    hit.fields = {{"name", std::string(pair.now->name)}};
    add_steps(context, hit);
    emit(std::move(hit));
  }
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  const auto steps = comparable_steps(context);
  if (!steps || !(steps->now > steps->base)) return;
  auto pairs = float_pairs(*context.diff);
  const std::size_t all = pairs.size();
  const auto changed = changed_weights(*context.diff);
  std::erase_if(pairs, [&](const WeightPair& pair) { return changed.contains(pair.now->path); });
  if (pairs.empty()) return;
  if (rule.string("of") == "all" && pairs.size() == all) judge_all(context, all, emit);
  if (rule.string("of") == "trained" && pairs.size() < all) judge_trained(context, rule, pairs, emit);
}

}  // namespace

const Check kWeightsIdentical{.name = "weights-identical",
                              .help = "weights that steps of training did not change",
                              .needs = kDiff,
                              .params = kParams,
                              .run = run,
                              .kinds = kKinds};

}  // namespace ckpt::lint
