// Parameters of optimizers: ids in groups, ids with state, and how many the model can have.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/optimizer/moments.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"gap", "count"};
constexpr ParamSpec kParams[] = {
    {"find", ParamType::kString, "",
     "gap (ids without state, state without an id) | count (more than the model has)", kChoices},
    {"frozen", ParamType::kGlobs, "[]",
     "count: the weights that no optimizer has (frozen, running statistics); the others must be as many as "
     "the parameters of all optimizers"},
};
constexpr std::string_view kFields[] = {"text"};

struct Ids {
  std::map<std::string, std::size_t> in_groups;  // with how often
  std::vector<std::string> order;
  std::set<std::string> with_state;
  std::set<Kind> kinds;   // of ids: a key of another kind is no parameter's (MADGRAD's state["k"])
  std::size_t found = 0;  // ids of the groups that have state
};

Ids ids_of(const Tree& tree, const Optimizer& optimizer) {
  Ids ids;
  for (const ParamGroup& group : optimizer.groups)
    for (const NodeId id : group.ids) {
      auto text = id_text(tree, id);
      ids.kinds.insert(tree.kind(id));
      auto& times = ids.in_groups[text];
      ++times;
      if (times == 1) ids.order.push_back(std::move(text));
    }
  for (const auto& item : mapping_items(tree, optimizer.state))
    if (ids.kinds.contains(tree.kind(item.key))) ids.with_state.insert(id_text(tree, item.key));
  for (const auto& id : ids.order) ids.found += ids.with_state.count(id);
  return ids;
}

// T5: all of LBFGS's state stands under its first parameter.
bool is_lbfgs(const Tree& tree, const Optimizer& optimizer) {
  return !optimizer.groups.empty() && member(tree, optimizer.groups[0].node, "line_search_fn") != kNoNode;
}

void find_duplicates(const Optimizer& optimizer, const Ids& ids, const Emit& emit) {
  const auto twice = std::find_if(ids.order.begin(), ids.order.end(),
                                  [&](const auto& id) { return ids.in_groups.at(id) > 1; });
  if (twice == ids.order.end()) return;
  emit(text_hit(optimizer.groups_path(), "duplicate-id",
                fmt::format("parameter {} stands in the groups {} times: it would be stepped more than once",
                            one_line(*twice), ids.in_groups.at(*twice)),
                report::PlaceKind::kArray));
}

void find_gaps(const Tree& tree, const Optimizer& optimizer, const Emit& emit) {
  const Ids ids = ids_of(tree, optimizer);
  find_duplicates(optimizer, ids, emit);
  const bool whole = std::all_of(optimizer.groups.begin(), optimizer.groups.end(),
                                 [&](const ParamGroup& group) { return is_sequence(tree, group.params); });
  if (ids.found == 0 || !whole) return;  // optimizer-state-empty says it
  const auto state_path = optimizer.states_path();
  std::size_t orphans = 0;
  NodeId first_orphan = kNoNode;
  for (const auto& item : mapping_items(tree, optimizer.state))
    if (ids.kinds.contains(tree.kind(item.key)) && !ids.in_groups.contains(id_text(tree, item.key))) {
      if (orphans == 0) first_orphan = item.key;
      ++orphans;
    }
  if (orphans > 0)
    emit(text_hit(
        optimizer.state_path(tree, first_orphan), "orphan-state",
        fmt::format(
            "{} of {} for ids that no group has, this is the first: torch keeps it and uses it for nothing",
            orphans, plural(ids.with_state.size(), "state")),
        report::PlaceKind::kObject));
  if (is_lbfgs(tree, optimizer)) return;
  std::uint64_t missing = 0;
  std::string first;
  for (const auto& id : ids.order)
    if (!ids.with_state.contains(id)) {
      if (missing == 0) first = id;
      ++missing;
    }
  if (missing == 0) return;
  // A frozen or unused parameter never gets state, and the file does not say which ones are.
  Hit hit = text_hit(
      state_path, "gap",
      fmt::format("{} of {} without state, first id {}: frozen or unused, or their moments were lost",
                  missing, plural(ids.order.size(), "parameter"), one_line(first)),
      report::PlaceKind::kObject);
  hit.level = report::Level::kNote;
  hit.properties = {{"missing", missing}, {"parameters", std::uint64_t{ids.order.size()}}};
  emit(std::move(hit));
}

// Counters are no parameters. Running statistics cannot be told from parameters, so
// only "more" is certain.
std::uint64_t floating_weights(const Context& context, const std::vector<Glob>& without) {
  const auto& file = context.file();
  std::uint64_t count = 0;
  for (const auto& key : weight_keys(file, context.items()))
    if (is_kind(file.tree, key.value, Kind::kTensor) &&
        tensor::is_floating(file.tensor_records[file.tree.payload(key.value)].view.dtype) &&
        !any_match(without, key.name))
      ++count;
  return count;
}

// A frozen backbone may be in the optimizer and not in the file (adapters): only what was trained must be
// there.
void find_excess(const Context& context, const Optimizer& optimizer, std::uint64_t weights,
                 const Emit& emit) {
  const Tree& tree = context.file().tree;
  const std::uint64_t listed = optimizer.parameters;
  if (listed <= weights) return;
  const Ids ids = ids_of(tree, optimizer);
  const bool some_trained = ids.found > 0 && !is_lbfgs(tree, optimizer);
  const std::uint64_t trained = some_trained ? ids.found : listed;
  // Where moments show their parameters' shapes, optimizer-state-shape says which.
  if (trained > weights && !comparable_moments(context.file(), optimizer).empty()) return;
  const auto most = plural(weights, "tensor") + " of floating point";
  Hit hit = text_hit(
      optimizer.groups_path(), "too-many",
      trained > weights
          ? fmt::format("{}{}, but the state_dict has {}: it belongs to another model",
                        plural(trained, "parameter"), some_trained ? " with state" : "", most)
          : fmt::format(
                "{}, {} with state, but the state_dict has {}: frozen ones were left out of the file, "
                "or it belongs to another model",
                plural(listed, "parameter"), trained, most),
      report::PlaceKind::kArray);
  if (trained <= weights) hit.level = report::Level::kNote;
  hit.properties = {{"parameters", listed}, {"trained", trained}, {"weights", weights}};
  emit(std::move(hit));
}

// Who says which weights are frozen is told the exact number.
void compare_count(const Context& context, const std::vector<Glob>& frozen, const Emit& emit) {
  const auto optimizers = optimizers_of(context);
  if (optimizers.empty()) return;  // optimizer-state-missing says it
  std::uint64_t parameters = 0;
  for (const auto& optimizer : optimizers) parameters += optimizer.parameters;
  const auto weights = floating_weights(context, frozen);
  if (parameters == weights) return;
  Hit hit = text_hit(
      keys::kOptimizerStates, "other-number",
      fmt::format("{}, but {} of floating point in the state_dict that {} not frozen",
                  plural(parameters, "parameter"), plural(weights, "tensor"), weights == 1 ? "is" : "are"),
      report::PlaceKind::kArray);
  hit.properties = {{"parameters", parameters}, {"weights", weights}};
  emit(std::move(hit));
}

void run_count(const Context& context, const Rule& rule, const Emit& emit) {
  const auto frozen = globs_of(rule, "frozen");
  if (!frozen.empty()) return compare_count(context, frozen, emit);
  const auto weights = floating_weights(context, {});
  if (weights == 0) return;  // state-dict-empty says it
  for (const auto& optimizer : optimizers_of(context)) find_excess(context, optimizer, weights, emit);
}

void run(const Context& context, const Rule& rule, const Emit& emit) {
  if (rule.string("find") == "count") return run_count(context, rule, emit);
  for (const auto& optimizer : optimizers_of(context)) find_gaps(context.file().tree, optimizer, emit);
}

}  // namespace

const Check kOptimizerParams{.name = "optimizer-params",
                             .help = "parameter ids of optimizers: gaps, duplicates, more than the model has",
                             .needs = kNothing,
                             .params = kParams,
                             .fields = kFields,
                             .run = run};

}  // namespace ckpt::lint
