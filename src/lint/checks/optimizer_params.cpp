// Parameters of optimizers: ids in groups, ids with state, and how many the model can have.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks/list.h"
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

// Ids are ints in the Trainer's files and names in Fabric's full FSDP files: their spelling tells them apart.
struct Ids {
  std::map<std::string, std::size_t> in_groups;  // with how often
  std::vector<std::string> order;
  std::map<std::string, NodeId> with_state;
};

Ids ids_of(const Tree& tree, const OptimizerAt& optimizer) {
  Ids ids;
  for (const NodeId group : optimizer.groups)
    for (const NodeId id : sequence(tree, member(tree, group, "params"))) {
      auto text = value::repr(tree, id, kWholeName);
      if (++ids.in_groups[text] == 1) ids.order.push_back(std::move(text));
    }
  for (const auto& item : mapping_items(tree, optimizer.state))
    ids.with_state.emplace(value::repr(tree, item.key, kWholeName), item.key);
  return ids;
}

// T5: all of LBFGS's state stands under its first parameter.
bool is_lbfgs(const Tree& tree, const OptimizerAt& optimizer) {
  return !optimizer.groups.empty() && member(tree, optimizer.groups[0], "line_search_fn") != kNoNode;
}

void find_duplicates(const OptimizerAt& optimizer, const Ids& ids, const Emit& emit) {
  const auto twice = std::find_if(ids.order.begin(), ids.order.end(),
                                  [&](const auto& id) { return ids.in_groups.at(id) > 1; });
  if (twice == ids.order.end()) return;
  emit(text_hit(key_path(optimizer.path, "param_groups"), "duplicate-id",
                fmt::format("parameter {} stands in the groups {} times: it would be stepped more than once",
                            one_line(*twice), ids.in_groups.at(*twice)),
                report::PlaceKind::kArray));
}

void find_gaps(const Tree& tree, const OptimizerAt& optimizer, const Emit& emit) {
  const Ids ids = ids_of(tree, optimizer);
  find_duplicates(optimizer, ids, emit);
  const auto state_path = key_path(optimizer.path, "state");
  std::size_t orphans = 0;
  NodeId first_orphan = kNoNode;
  for (const auto& item : mapping_items(tree, optimizer.state))
    if (!ids.in_groups.contains(value::repr(tree, item.key, kWholeName)) && orphans++ == 0)
      first_orphan = item.key;
  if (orphans > 0)
    emit(text_hit(
        optimizer.state_path(tree, first_orphan), "orphan-state",
        fmt::format(
            "{} of {} for ids that no group has, this is the first: torch keeps it and uses it for nothing",
            orphans, plural(ids.with_state.size(), "state")),
        report::PlaceKind::kObject));
  if (ids.with_state.empty() || is_lbfgs(tree, optimizer)) return;
  std::uint64_t missing = 0;
  std::string first;
  for (const auto& id : ids.order)
    if (!ids.with_state.contains(id) && missing++ == 0) first = id;
  if (missing == 0) return;
  // T6: a frozen or unused parameter never gets state, and the file does not say which ones are.
  Hit hit = text_hit(
      state_path, "gap",
      fmt::format("{} of {} without state, first id {}: frozen or unused, or their moments were lost",
                  missing, plural(ids.order.size(), "parameter"), one_line(first)),
      report::PlaceKind::kObject);
  hit.level = report::Level::kNote;
  hit.properties = {{"missing", missing}, {"parameters", std::uint64_t{ids.order.size()}}};
  emit(std::move(hit));
}

// T13: counters are no parameters. Running statistics cannot be told from parameters, so
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

std::uint64_t parameters_of(const Tree& tree, const OptimizerAt& optimizer) {
  std::uint64_t parameters = 0;
  for (const NodeId group : optimizer.groups)
    parameters += sequence(tree, member(tree, group, "params")).size();
  return parameters;
}

void find_excess(const Tree& tree, const OptimizerAt& optimizer, std::uint64_t weights, const Emit& emit) {
  const auto parameters = parameters_of(tree, optimizer);
  if (parameters <= weights) return;
  Hit hit =
      text_hit(key_path(optimizer.path, "param_groups"), "too-many",
               fmt::format("{}, but the state_dict has {} of floating point: it belongs to another model",
                           plural(parameters, "parameter"), plural(weights, "tensor")),
               report::PlaceKind::kArray);
  hit.properties = {{"parameters", parameters}, {"weights", weights}};
  emit(std::move(hit));
}

// Who says which weights are frozen is told the exact number.
void compare_count(const Context& context, const std::vector<Glob>& frozen, const Emit& emit) {
  const auto optimizers = optimizers_of(context);
  if (optimizers.empty()) return;  // optimizer-state-missing says it
  std::uint64_t parameters = 0;
  for (const auto& optimizer : optimizers) parameters += parameters_of(context.file().tree, optimizer);
  const auto weights = floating_weights(context, frozen);
  if (parameters == weights) return;
  Hit hit = text_hit(
      "optimizer_states", "other-number",
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
  for (const auto& optimizer : optimizers_of(context))
    find_excess(context.file().tree, optimizer, weights, emit);
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
