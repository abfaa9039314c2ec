#include "diff/compat_optimizers.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"
#include "training/keys.h"
#include "training/types.h"
#include "value/access.h"
#include "value/path.h"

namespace ckpt::diff {
namespace {

namespace keys = training::keys;
using value::Item;
using value::Kind;
using value::kNoNode;
using value::member;
using value::NodeId;
using value::Tree;
using namespace std::string_view_literals;

constexpr std::string_view kFit = "Trainer.fit(ckpt_path=...)";

// Tensors of the parameter's own shape, in the state of torch's optimizers ...
constexpr std::array kElementwise = {"exp_avg"sv,    "exp_avg_sq"sv, "max_exp_avg_sq"sv, "momentum_buffer"sv,
                                     "square_avg"sv, "grad_avg"sv,   "exp_inf"sv,        "sum"sv,
                                     "acc_delta"sv,  "prev"sv,       "step_size"sv,      "ax"sv};
// ... and of shapes that follow from it.
constexpr std::array kFactored = {"exp_avg_sq_row"sv, "exp_avg_sq_col"sv};

// Kept only while an option of the group is on: without it the step looks for nothing.
struct OptionalField {
  std::string_view field, option;
};
constexpr OptionalField kOptionalFields[] = {
    {"max_exp_avg_sq", "amsgrad"}, {"momentum_buffer", "momentum"}, {"grad_avg", "centered"}};

// Options of groups that __setstate__ does not fill in: the first step raises KeyError without them.
constexpr std::array kNeededOptions = {"lr"sv,         "betas"sv, "eps"sv, "weight_decay"sv,  "momentum"sv,
                                       "dampening"sv,  "alpha"sv, "rho"sv, "lr_decay"sv,      "etas"sv,
                                       "step_sizes"sv, "lambd"sv, "t0"sv,  "momentum_decay"sv};

// One optimizer of one file.
struct Saved {
  const Side& side;
  const OptimizerParams& params;
  NodeId node = kNoNode;
  std::string type;
  std::unordered_map<std::string, NodeId> states;  // of the ids that a group lists

  const Tree& tree() const { return side.file().tree; }
};

Saved read(const Side& side, const OptimizerParams& params, std::size_t index) {
  Saved out{side, params, kNoNode, {}, {}};
  const auto& optimizers = side.input->training.optimizers;
  if (index >= optimizers.size()) return out;
  out.node = optimizers[index].node;
  out.type = training::optimizer_type(out.tree(), out.node);
  std::set<std::string_view> listed;
  for (const auto& group : params.groups) listed.insert(group.begin(), group.end());
  for (const Item& item : value::mapping_items(out.tree(), member(out.tree(), out.node, "state")))
    if (std::string id = id_in_path(out.tree(), item.key); listed.contains(id))
      out.states.emplace(std::move(id), item.value);
  return out;
}

bool same_sizes(const OptimizerParams& a, const OptimizerParams& b) {
  return std::equal(a.groups.begin(), a.groups.end(), b.groups.begin(), b.groups.end(),
                    [](const auto& x, const auto& y) { return x.size() == y.size(); });
}

// A BaseFinetuning rebuilds the groups as the file has them before the state is loaded.
bool rebuilds_groups(const Saved& base, const Saved& other) {
  return other.params.named_by == NamedBy::kCallback &&
         training::is_finetuned(base.tree(), base.side.input->training.callbacks);
}

bool has_field(const Saved& saved, std::string_view field) {
  return std::any_of(saved.states.begin(), saved.states.end(),
                     [&](const auto& state) { return member(saved.tree(), state.second, field) != kNoNode; });
}

NodeId group_of(const Saved& saved, std::size_t index) {
  const auto groups = value::sequence(saved.tree(), member(saved.tree(), saved.node, keys::kParamGroups));
  return index < groups.size() ? groups[index] : kNoNode;
}

// --- another class -------------------------------------------------------------------------------------

// The first option that the base's class needs and the groups of the file have not.
std::string_view missing_option(const Saved& base, const Saved& other) {
  const NodeId a = group_of(base, 0), b = group_of(other, 0);
  if (a == kNoNode || b == kNoNode) return {};
  for (const std::string_view option : kNeededOptions) {
    if (option == "momentum" && base.type == "RMSprop") continue;  // __setstate__ fills it in
    if (member(base.tree(), a, option) != kNoNode && member(other.tree(), b, option) == kNoNode)
      return option;
  }
  return {};
}

// A field of the state that the base's step looks up unconditionally, and the file has not.
bool lacks_a_field(const Saved& base, const Saved& other) {
  if (base.states.empty() || other.states.empty()) return false;
  for (const Item& item : value::mapping_items(base.tree(), base.states.begin()->second)) {
    if (base.tree().kind(item.key) != Kind::kString) continue;
    const std::string_view field = base.tree().text(item.key);
    const bool needed = std::none_of(std::begin(kOptionalFields), std::end(kOptionalFields),
                                     [&](const OptionalField& f) { return f.field == field; });
    if (needed && !has_field(other, field)) return true;
  }
  return false;
}

Obstacle other_type(const Saved& base, const Saved& other, const std::string& path) {
  const bool raises = !missing_option(base, other).empty() || lacks_a_field(base, other);
  return {"compat-optimizer-type", path,
          fmt::format("state of {}, not of {}: {} {}", other.type, base.type, kFit,
                      raises ? "raises KeyError, on load or in the first step"
                             : "silently loads it and continues with the file's options")};
}

// --- the same class ------------------------------------------------------------------------------------

std::optional<Obstacle> empty_state(const Saved& base, const Saved& other, const std::string& path) {
  if (base.states.empty() || !other.states.empty()) return std::nullopt;
  const auto momentum = value::number_of(other.tree(), member(other.tree(), group_of(other, 0), "momentum"));
  return Obstacle{
      "compat-optimizer-empty", path + ".state",
      momentum && *momentum == 0 && other.type == "SGD"
          ? fmt::format("no state, and the file's momentum is 0: {} silently continues without it", kFit)
          : fmt::format("no state: {} silently resumes with moments of zero", kFit)};
}

std::optional<Obstacle> missing_field(const Saved& base, const Saved& other, const std::string& path) {
  if (other.states.empty()) return std::nullopt;
  for (const OptionalField& optional : kOptionalFields)
    if (has_field(base, optional.field) && !has_field(other, optional.field))
      return Obstacle{"compat-optimizer-empty", path + ".state",
                      fmt::format("no {}: {} takes the file's options and silently continues without {}",
                                  optional.field, kFit, optional.option)};
  return std::nullopt;
}

std::optional<Obstacle> missing_options(const Saved& base, const Saved& other, const std::string& path) {
  const std::string_view option = missing_option(base, other);
  if (option.empty()) return std::nullopt;
  return Obstacle{
      "compat-optimizer-groups", path + ".param_groups",
      fmt::format("{} raises KeyError: '{}' in the first step: the groups lack it", kFit, option)};
}

// --- which state meets which parameter -----------------------------------------------------------------

const Shape* tensor_shape(const Saved& saved, NodeId state, std::string_view field) {
  const NodeId node = member(saved.tree(), state, field);
  if (!value::is_kind(saved.tree(), node, Kind::kTensor)) return nullptr;
  return &saved.side.file().tensor_records[saved.tree().payload(node)].view.shape;
}

std::unordered_map<std::string_view, const Shape*> weight_shapes(const Side& side) {
  std::unordered_map<std::string_view, const Shape*> out;
  for (const Place& place : side.places)
    if (place.key.space == Space::kWeight && place.slot.kind == SlotKind::kTensor)
      out.emplace(place.key.text, &side.record(place.slot).view.shape);
  return out;
}

struct Misfit {
  std::string id;
  std::string_view field;
  const Shape* wanted;
  const Shape* found;
};

// Compares what the base keeps for a parameter, or the weight itself, with the state that it would get.
class Positions {
 public:
  Positions(const Saved& base, const Saved& other)
      : base_(base), other_(other), weights_(weight_shapes(base.side)) {}

  std::optional<Misfit> first_misfit() const {
    for (std::size_t g = 0; g < base_.params.groups.size(); ++g)
      for (std::size_t k = 0; k < base_.params.groups[g].size(); ++k)
        if (auto misfit = compare(base_.params.groups[g][k], other_.params.groups[g][k])) return misfit;
    return std::nullopt;
  }

 private:
  static NodeId state(const Saved& saved, const std::string& id) {
    const auto found = saved.states.find(id);
    return found == saved.states.end() ? kNoNode : found->second;
  }

  const Shape* weight(const std::string& id) const {
    const auto name = base_.params.names.find(id);
    if (!base_.params.known() || name == base_.params.names.end()) return nullptr;
    const auto shape = weights_.find(name->second);
    return shape == weights_.end() ? nullptr : shape->second;
  }

  std::optional<Misfit> compare(const std::string& base_id, const std::string& other_id) const {
    const NodeId theirs = state(other_, other_id);
    if (theirs == kNoNode || other_id.starts_with('"')) return std::nullopt;  // names, not positions
    const NodeId mine = state(base_, base_id);
    for (const std::string_view field : kElementwise)
      if (auto misfit = compare_field(base_id, mine, theirs, field, weight(base_id))) return misfit;
    for (const std::string_view field : kFactored)
      if (auto misfit = compare_field(base_id, mine, theirs, field, nullptr)) return misfit;
    return std::nullopt;
  }

  std::optional<Misfit> compare_field(const std::string& id, NodeId mine, NodeId theirs,
                                      std::string_view field, const Shape* fallback) const {
    const Shape* found = tensor_shape(other_, theirs, field);
    const Shape* wanted = tensor_shape(base_, mine, field);
    if (wanted == nullptr) wanted = fallback;
    if (found == nullptr || wanted == nullptr || *found == *wanted) return std::nullopt;
    return Misfit{id, field, wanted, found};
  }

  const Saved& base_;
  const Saved& other_;
  std::unordered_map<std::string_view, const Shape*> weights_;
};

struct Names {
  std::string_view base, other;
};

// The first position whose parameter is another weight of the base in the other file.
std::optional<Names> first_other_weight(const Saved& base, const Saved& other) {
  const OptimizerParams& a = base.params;
  const OptimizerParams& b = other.params;
  if (!a.known() || !b.known()) return std::nullopt;
  const auto weights = weight_shapes(base.side);
  for (std::size_t g = 0; g < a.groups.size(); ++g)
    for (std::size_t k = 0; k < a.groups[g].size(); ++k) {
      const auto x = a.names.find(a.groups[g][k]);
      const auto y = b.names.find(b.groups[g][k]);
      if (x == a.names.end() || y == b.names.end() || x->second == y->second) continue;
      if (weights.contains(y->second)) return Names{x->second, y->second};
    }
  return std::nullopt;
}

std::string parameter(const OptimizerParams& params, const std::string& id) {
  const auto name = params.names.find(id);
  return name == params.names.end() ? "parameter " + id : one_line(name->second);
}

// Told by the moments themselves: nothing else shows an order of parameters that are alike.
std::optional<std::string> exchanged_states(const Saved& base, const Saved& other) {
  for (const auto& group : other.params.groups)
    for (const std::string& id : group)
      if (const auto from = other.params.exchanged.find(id); from != other.params.exchanged.end())
        return fmt::format(
            "{} silently gives the state of {} to {}, by its moments: state is assigned by "
            "position",
            kFit, parameter(base.params, from->second), parameter(base.params, id));
  return std::nullopt;
}

// load_state_dict of the model raises before any optimizer is loaded.
bool weights_have_other_shapes(const Diff& diff, std::size_t input) {
  return std::any_of(diff.changes.begin(), diff.changes.end(), [&](const Change& change) {
    return change.input == input && change.kind == ChangeKind::kShape &&
           change.section == training::Section::kWeights;
  });
}

std::optional<Obstacle> misplaced(const Saved& base, const Saved& other, const std::string& path) {
  if (const auto misfit = Positions(base, other).first_misfit())
    return Obstacle{"compat-optimizer-order", path + ".state",
                    fmt::format("{} raises RuntimeError in the first step: {} {} for {}, which needs {} "
                                "(state is assigned by position)",
                                kFit, misfit->field, format_shape(*misfit->found),
                                parameter(base.params, misfit->id), format_shape(*misfit->wanted))};
  if (const auto exchanged = exchanged_states(base, other))
    return Obstacle{"compat-optimizer-order", path + ".state", *exchanged};
  if (const auto names = first_other_weight(base, other))
    return Obstacle{"compat-optimizer-order", path + ".param_groups",
                    fmt::format("{} silently gives the state of {} to {}: state is assigned by position",
                                kFit, one_line(names->other), one_line(names->base))};
  return std::nullopt;
}

}  // namespace

std::vector<Obstacle> judge_optimizer(const Diff& diff, std::size_t input, std::size_t index) {
  static const OptimizerParams kNone;
  const auto params = [&](std::size_t side) -> const OptimizerParams& {
    return index < diff.optimizers[side].size() ? diff.optimizers[side][index] : kNone;
  };
  const Saved base = read(diff.sides[0], params(0), index);
  const Saved other = read(diff.sides[input], params(input), index);
  const std::string path = index < diff.optimizers[input].size()
                               ? diff.optimizers[input][index].path
                               : value::index_path(keys::kOptimizerStates, index);
  const bool stateless = base.states.empty() && other.states.empty();
  if (!training::may_be_same_type(base.type, other.type) &&
      (!stateless || !missing_option(base, other).empty()))
    return {other_type(base, other, path)};
  std::vector<Obstacle> out;
  const auto add = [&](std::optional<Obstacle> obstacle) {
    if (obstacle) out.push_back(std::move(*obstacle));
  };
  add(empty_state(base, other, path));
  add(missing_field(base, other, path));
  if (rebuilds_groups(base, other)) return out;
  if (!same_sizes(base.params, other.params)) {
    add(Obstacle{"compat-optimizer-groups", path + ".param_groups",
                 fmt::format("{} raises ValueError: group sizes differ from the base", kFit)});
    return out;
  }
  add(missing_options(base, other, path));
  if (!weights_have_other_shapes(diff, input)) add(misplaced(base, other, path));
  return out;
}

}  // namespace ckpt::diff
