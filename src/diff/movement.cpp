#include "diff/movement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tensor/delta.h"
#include "tensor/sample.h"
#include "value/access.h"

namespace ckpt::diff {
namespace {

using value::kNoNode;
using value::NodeId;
using value::Tree;

// --- movement ------------------------------------------------------------------------------------------

// A step is often less than the precision of these, so a weight that stayed may have been trained.
bool is_coarse(tensor::DType dtype) { return tensor::element_size(dtype) < 4; }

bool is_live(const Side& side, const Place& place) {
  const bool averaged = side.items().current_model_state != kNoNode;
  return place.key.space == (averaged ? Space::kCurrentWeight : Space::kWeight) &&
         place.slot.kind == SlotKind::kTensor;
}

// Live weights of `side` that have the same bytes in `other`.
Names still_weights(const Side& side, const Side& other) {
  std::unordered_map<std::string_view, const TensorRecord*> weights;
  for (const Place& place : other.places)
    if (is_live(other, place)) weights.emplace(place.key.text, &other.record(place.slot));
  Names out;
  for (const Place& place : side.places) {
    const auto found = is_live(side, place) ? weights.find(place.key.text) : weights.end();
    if (found == weights.end()) continue;
    const TensorRecord& a = *found->second;
    const TensorRecord& b = side.record(place.slot);
    const tensor::Storage* x = readable_storage(other.file(), a);
    const tensor::Storage* y = readable_storage(side.file(), b);
    if (x != nullptr && y != nullptr && !is_coarse(b.view.dtype) &&
        tensor::same_elements(a.view, *x, b.view, *y))
      out.insert(place.key.text);
  }
  return out;
}

bool is_open(const OptimizerParams& params) {
  return params.named_by == NamedBy::kAmbiguous && !params.repeats;
}

// Names what is ambiguous in `mine` by which weights moved. A file cannot tell which of two is the later one:
// for the base this holds only if the other file, whose parameters are all known, is the one that it came
// from.
void name_by_movement(Side& side, std::vector<OptimizerParams>& mine, const Side& other,
                      const std::vector<OptimizerParams>& theirs, bool is_base) {
  const auto wanted = [&](std::size_t i) {
    if (!is_open(mine[i]) || i >= theirs.size() || same_layout(mine[i], theirs[i])) return false;
    return !is_base || theirs[i].known();
  };
  bool any = false;
  for (std::size_t i = 0; i < mine.size(); ++i) any = any || wanted(i);
  if (!any) return;
  const Names still = still_weights(side, other);
  if (still.empty()) return;
  std::vector<OptimizerParams> again = name_parameters(side, still);
  for (std::size_t i = 0; i < mine.size(); ++i) {
    if (!wanted(i) || again[i].names.size() <= mine[i].names.size()) continue;
    if (again[i].named_by == NamedBy::kOrder) again[i].named_by = NamedBy::kMovement;
    mine[i] = std::move(again[i]);
  }
}

// --- moments -------------------------------------------------------------------------------------------

// Magnitudes first: they keep their pattern for longer than directions do.
constexpr std::string_view kProfileFields[] = {"exp_avg_sq", "square_avg",      "sum", "exp_inf",
                                               "exp_avg",    "momentum_buffer", "prev"};
constexpr std::size_t kMostSampled = 4096;               // elements of one state
constexpr std::size_t kMostWork = std::size_t{1} << 26;  // elements compared for one shape
constexpr std::size_t kFewestPairs = 4;                  // of elements, for a distance
// States of one weight were never further apart than those of two weights, summed over the weights that
// would be exchanged, in 8,476 pairs of a transformer's parameters after three times the steps.
constexpr double kClearly = 2;
constexpr double kNoise = 0.2;  // a distance below this is none

// Of one parameter: its id, and ln of the magnitude of each element of its state.
struct Profile {
  std::string id;
  std::vector<double> logs;
};
using ByShape = std::map<Shape, std::vector<Profile>>;

const TensorRecord* profile_tensor(const Side& side, NodeId state) {
  const Tree& tree = side.file().tree;
  for (const std::string_view field : kProfileFields)
    if (const NodeId node = value::member(tree, state, field);
        value::is_kind(tree, node, value::Kind::kTensor))
      return &side.file().tensor_records[tree.payload(node)];
  return nullptr;
}

// Parameters with state, by its shape, in the order of the groups.
ByShape profiles_of(const Side& side, const OptimizerParams& params) {
  ByShape out;
  for (const auto& group : params.groups)
    for (const std::string& id : group)
      if (const auto state = params.states.find(id);
          state != params.states.end() && state->second.shape != nullptr)
        out[*state->second.shape].push_back({id, {}});
  for (auto& [shape, profiles] : out) {
    if (profiles.size() < 2) continue;
    const std::size_t most = std::min(kMostSampled, kMostWork / (profiles.size() * profiles.size()));
    for (Profile& profile : profiles) {
      const TensorRecord* record = profile_tensor(side, params.states.at(profile.id).node);
      const tensor::Storage* storage = record == nullptr ? nullptr : readable_storage(side.file(), *record);
      if (storage == nullptr) continue;
      profile.logs = tensor::leading_elements({&record->view, storage}, most);
      for (double& x : profile.logs) x = std::log(std::abs(x));
    }
  }
  return out;
}

// The mean factor between two magnitudes, as its logarithm; infinite if there is nothing to compare.
double distance(const Profile& a, const Profile& b) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < std::min(a.logs.size(), b.logs.size()); ++i) {
    const double d = std::abs(a.logs[i] - b.logs[i]);
    if (!std::isfinite(d)) continue;
    sum += d;
    ++count;
  }
  return count < kFewestPairs ? std::numeric_limits<double>::infinity() : sum / static_cast<double>(count);
}

struct Nearest {
  std::size_t index = 0;
  double best = std::numeric_limits<double>::infinity();
  double second = std::numeric_limits<double>::infinity();
};

Nearest nearest(const Profile& profile, const std::vector<Profile>& others) {
  Nearest out;
  for (std::size_t i = 0; i < others.size(); ++i) {
    const double d = distance(others[i], profile);
    if (d < out.best) {
      out.second = out.best;
      out.best = d;
      out.index = i;
    } else {
      out.second = std::min(out.second, d);
    }
  }
  return out;
}

// Parameters of one shape, at the same places in both files. Follows each state to the one of the base that
// is most like it: where that ends in a circle, these states may have changed places, and the sums along the
// circle say whether they have.
void find_exchanges(const std::vector<Profile>& base, const std::vector<Profile>& other,
                    OptimizerParams& out) {
  std::vector<Nearest> from;
  for (const Profile& profile : other) from.push_back(nearest(profile, base));
  std::vector<std::size_t> seen(base.size(), 0);
  std::size_t sure = 0;
  for (std::size_t start = 0; start < base.size(); ++start) {
    std::size_t at = start;
    while (seen[at] == 0) {
      seen[at] = start + 1;
      at = from[at].index;
    }
    if (seen[at] != start + 1) continue;  // an older circle, or a way into it
    std::vector<std::size_t> circle = {at};
    while (from[circle.back()].index != at) circle.push_back(from[circle.back()].index);
    double kept = 0, exchanged = 0;
    for (const std::size_t k : circle) {
      kept += distance(base[k], other[k]);
      exchanged += from[k].best;
    }
    if (circle.size() == 1) {
      sure += kClearly * from[at].best <= from[at].second ? 1u : 0u;
      continue;
    }
    if (!std::isfinite(kept) || kept < kNoise * static_cast<double>(circle.size()) ||
        kept < kClearly * exchanged)
      continue;
    sure += circle.size();
    for (const std::size_t k : circle) out.exchanged.emplace(other[k].id, base[from[k].index].id);
  }
  out.unproven += base.size() - sure;
}

// Optimizers of one layout, and what is named by order in at least one of them.
void check_order(const Side& base, const OptimizerParams& a, const Side& side, OptimizerParams& b) {
  const ByShape mine = profiles_of(base, a);
  const ByShape theirs = profiles_of(side, b);
  for (const auto& [shape, profiles] : mine) {
    const auto found = theirs.find(shape);
    if (profiles.size() < 2 || found == theirs.end() || found->second.size() != profiles.size()) continue;
    const bool same_ids = std::equal(profiles.begin(), profiles.end(), found->second.begin(),
                                     [](const Profile& x, const Profile& y) { return x.id == y.id; });
    if (same_ids) find_exchanges(profiles, found->second, b);
  }
  if (b.exchanged.empty() || !a.known()) return;
  std::unordered_map<std::string, std::string_view> names = b.names;
  for (const auto& [id, from] : b.exchanged)
    if (const auto name = a.names.find(from); name != a.names.end()) names[id] = name->second;
  b.names = std::move(names);
  b.named_by = NamedBy::kMoments;
}

// Names the parameters of `b` by those of `a`, which are as many of each shape at other places: the only one
// of its shape is the same in both, of several the one whose moments are clearly the most like it.
void name_by_moments(const Side& known, const OptimizerParams& a, const Side& side, OptimizerParams& b) {
  const ByShape mine = profiles_of(known, a);
  const ByShape theirs = profiles_of(side, b);
  std::unordered_map<std::string, std::string_view> names;
  bool whole = a.states.size() == b.states.size();
  for (const auto& [shape, profiles] : theirs) {
    const auto found = mine.find(shape);
    if (found == mine.end() || found->second.size() != profiles.size()) return;
    std::vector<bool> taken(profiles.size(), false);
    for (const Profile& profile : profiles) {
      const Nearest from = profiles.size() == 1 ? Nearest{0, 0, HUGE_VAL} : nearest(profile, found->second);
      const auto name = a.names.find(found->second[from.index].id);
      if (!(kClearly * from.best <= from.second) || !std::isfinite(from.best) || taken[from.index] ||
          name == a.names.end()) {
        whole = false;
        continue;
      }
      taken[from.index] = true;
      names.emplace(profile.id, name->second);
    }
  }
  if (names.empty()) return;
  b.names = std::move(names);
  if (whole && b.names.size() == b.states.size()) b.named_by = NamedBy::kMoments;
}

bool is_explicit(const OptimizerParams& params) {
  return params.named_by == NamedBy::kKeys || params.named_by == NamedBy::kParamNames ||
         params.named_by == NamedBy::kCallback;
}

void compare_moments(const Side& base, OptimizerParams& a, const Side& side, OptimizerParams& b) {
  if (a.named_by == NamedBy::kNothing || b.named_by == NamedBy::kNothing || a.repeats || b.repeats) return;
  if (is_explicit(a) && is_explicit(b)) return;
  if (same_layout(a, b)) return check_order(base, a, side, b);
  if (a.known() && is_open(b)) return name_by_moments(base, a, side, b);
  if (b.known() && is_open(a)) return name_by_moments(side, b, base, a);
}

}  // namespace

void name_by_comparison(std::span<Side> sides, std::vector<std::vector<OptimizerParams>>& params) {
  for (std::size_t s = 1; s < sides.size(); ++s) {
    name_by_movement(sides[s], params[s], sides[0], params[0], false);
    name_by_movement(sides[0], params[0], sides[s], params[s], true);
    for (std::size_t i = 0; i < std::min(params[0].size(), params[s].size()); ++i)
      compare_moments(sides[0], params[0][i], sides[s], params[s][i]);
  }
}

}  // namespace ckpt::diff
