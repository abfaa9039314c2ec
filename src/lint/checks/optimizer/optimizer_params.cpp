// Parameters of optimizers: ids in groups, ids with state, and how many the model can have.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/text.h"
#include "lint/checks/list.h"
#include "lint/checks/optimizer/moments.h"
#include "lint/checks/training.h"

namespace ckpt::lint {
namespace {

constexpr std::string_view kChoices[] = {"gap", "count"};
constexpr ParamSpec kParams[] = {
    {"find", ParamType::kString, "",
     "gap (ids without state, states without an id) | count (more than the model has)", kChoices},
    {"frozen", ParamType::kGlobs, "[]",
     "count: the weights that no optimizer has (frozen, running statistics); all optimizers together must "
     "have as many parameters as there are other weights"},
};
// clang-format off
constexpr KindSpec kKinds[] = {
    {"duplicate-id", "id times", "find=gap"},
    {"order", "id before", "find=gap"},
    {"orphan-state", "orphans states", "find=gap"},
    {"gap", "missing parameters first", "find=gap"},
    {"too-many", "parameters weights", "find=count"},
    {"too-many-with-state", "parameters weights", "find=count"},
    {"too-many-in-groups", "parameters with-state weights", "find=count"},
    {"other-number", "parameters weights", "find=count"},
};
// clang-format on

struct Ids {
  std::map<std::string, std::size_t> in_groups;  // and how often
  std::vector<std::string> order;
  std::set<std::string> with_state;
  std::set<Kind> kinds;   // of ids: a key of another kind belongs to no parameter (MADGRAD's state["k"])
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

// LBFGS keeps all of its state under its first parameter.
bool is_lbfgs(const Tree& tree, const Optimizer& optimizer) {
  return !optimizer.groups.empty() && member(tree, optimizer.groups[0].node, "line_search_fn") != kNoNode;
}

void find_duplicates(const Optimizer& optimizer, const Ids& ids, const Emit& emit) {
  const auto twice = std::find_if(ids.order.begin(), ids.order.end(),
                                  [&](const auto& id) { return ids.in_groups.at(id) > 1; });
  if (twice == ids.order.end()) return;
  Hit hit = make_hit(optimizer.groups_path(), "duplicate-id", report::PlaceKind::kArray);
  hit.fields = {{"id", one_line(*twice)}, {"times", std::to_string(ids.in_groups.at(*twice))}};
  emit(std::move(hit));
}

// torch numbers parameters group by group (torch/optim/optimizer.py, state_dict), and load_state_dict pairs
// the ids with the new optimizer's parameters in this order. After parameters were taken out the ids have
// gaps, but they still rise. Early versions of torch wrote the addresses of the parameters, in no order.
void find_disorder(const Tree& tree, const Optimizer& optimizer, const Emit& emit) {
  constexpr std::int64_t kMostParameters = 1 << 24;  // a larger id is an address
  std::optional<std::int64_t> last;
  for (const ParamGroup& group : optimizer.groups)
    for (const NodeId id : group.ids) {
      if (!is_kind(tree, id, Kind::kInt)) return;  // names: torch's own order does not matter
      const std::int64_t now = tree.integer(id);
      if (now > kMostParameters || last.value_or(0) > kMostParameters) return;
      if (last && now < *last) {
        Hit hit = make_hit(optimizer.groups_path(), "order", report::PlaceKind::kArray);
        hit.fields = {{"id", std::to_string(now)}, {"before", std::to_string(*last)}};
        return emit(std::move(hit));
      }
      last = now;
    }
}

void find_orphans(const Tree& tree, const Optimizer& optimizer, const Ids& ids, const Emit& emit) {
  std::size_t orphans = 0;
  NodeId first_orphan = kNoNode;
  for (const auto& item : mapping_items(tree, optimizer.state))
    if (ids.kinds.contains(tree.kind(item.key)) && !ids.in_groups.contains(id_text(tree, item.key))) {
      if (orphans == 0) first_orphan = item.key;
      ++orphans;
    }
  if (orphans == 0) return;
  Hit hit = make_hit(optimizer.state_path(tree, first_orphan), "orphan-state", report::PlaceKind::kObject);
  hit.fields = {{"orphans", std::to_string(orphans)}, {"states", std::to_string(ids.with_state.size())}};
  emit(std::move(hit));
}

// A frozen or unused parameter never gets state, and the file does not say which ones are.
void find_without_state(const Optimizer& optimizer, const Ids& ids, const Emit& emit) {
  std::uint64_t missing = 0;
  std::string first;
  for (const auto& id : ids.order)
    if (!ids.with_state.contains(id)) {
      if (missing == 0) first = id;
      ++missing;
    }
  if (missing == 0) return;
  Hit hit = make_hit(optimizer.states_path(), "gap", report::PlaceKind::kObject);
  hit.fields = {{"missing", std::to_string(missing)},
                {"parameters", std::to_string(ids.order.size())},
                {"first", one_line(first)}};
  hit.properties = {{"missing", missing}, {"parameters", std::uint64_t{ids.order.size()}}};
  emit(std::move(hit));
}

void find_gaps(const Tree& tree, const Optimizer& optimizer, const Emit& emit) {
  const Ids ids = ids_of(tree, optimizer);
  find_duplicates(optimizer, ids, emit);
  find_disorder(tree, optimizer, emit);
  const bool all_known =
      std::all_of(optimizer.groups.begin(), optimizer.groups.end(),
                  [&](const ParamGroup& group) { return is_sequence(tree, group.params); });
  if (ids.in_groups.empty() || !all_known) return;
  find_orphans(tree, optimizer, ids, emit);
  if (ids.found > 0 && !is_lbfgs(tree, optimizer)) find_without_state(optimizer, ids, emit);
}

// Counters (integers) are not parameters. Running statistics look like parameters, so only "more" is certain.
std::uint64_t floating_weights(const Context& context, const std::vector<WeightKey>& keys,
                               const std::vector<Glob>& without) {
  const auto& file = context.file();
  std::uint64_t count = 0;
  for (const auto& key : keys)
    if (is_kind(file.tree, key.value, Kind::kTensor) &&
        tensor::is_floating(file.tensor_records[file.tree.payload(key.value)].view.dtype) &&
        !any_match(without, key.name))
      ++count;
  return count;
}

// A frozen backbone may be in the optimizer but not in the file (adapters): only what was trained must be
// there.
void find_excess(const Context& context, const Optimizer& optimizer, std::uint64_t weights,
                 const Emit& emit) {
  const Tree& tree = context.file().tree;
  const std::uint64_t listed = optimizer.parameters;
  if (listed <= weights) return;
  const Ids ids = ids_of(tree, optimizer);
  const bool some_trained = ids.found > 0 && !is_lbfgs(tree, optimizer);
  const std::uint64_t trained = some_trained ? ids.found : listed;
  // Moments that show their parameters' shapes tell more than a number: optimizer-state-shape compares them.
  if (trained > weights && !comparable_moments(context.file(), optimizer).empty()) return;
  const bool few_trained = trained <= weights;
  const auto kind = few_trained ? "too-many-in-groups" : some_trained ? "too-many-with-state" : "too-many";
  Hit hit = make_hit(optimizer.groups_path(), kind, report::PlaceKind::kArray);
  hit.fields = {{"parameters", std::to_string(few_trained ? listed : trained)},
                {"with-state", std::to_string(trained)},
                {"weights", std::to_string(weights)}};
  hit.properties = {{"parameters", listed}, {"trained", trained}, {"weights", weights}};
  emit(std::move(hit));
}

// A team that names its frozen weights gets an exact comparison.
void compare_count(const Context& context, const std::vector<Glob>& frozen, const Emit& emit) {
  const auto optimizers = optimizers_of(context);
  if (optimizers.empty()) return;
  std::uint64_t parameters = 0;
  for (const auto& optimizer : optimizers) parameters += optimizer.parameters;
  const auto weights = floating_weights(context, weight_keys(context.file(), context.items()), frozen);
  if (parameters == weights) return;
  const bool of_trainer = context.training().progress.of_trainer;
  Hit hit = make_hit(of_trainer ? keys::kOptimizerStates : optimizers.front().path, "other-number",
                     report::PlaceKind::kArray);
  hit.fields = {{"parameters", std::to_string(parameters)}, {"weights", std::to_string(weights)}};
  hit.properties = {{"parameters", parameters}, {"weights", weights}};
  emit(std::move(hit));
}

void run_count(const Context& context, const Rule& rule, const Emit& emit) {
  const auto frozen = globs_of(rule, "frozen");
  if (!frozen.empty()) return compare_count(context, frozen, emit);
  std::map<std::vector<std::size_t>, std::uint64_t> weights;  // of the models that some optimizer has
  for (const auto& optimizer : optimizers_of(context)) {
    const auto [own, added] = weights.try_emplace(optimizer.models);
    if (added)
      own->second =
          floating_weights(context, weight_keys(context.file(), context.items(), optimizer.models), {});
    if (own->second > 0) find_excess(context, optimizer, own->second, emit);  // else nothing to compare with
  }
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
                             .run = run,
                             .kinds = kKinds};

}  // namespace ckpt::lint
