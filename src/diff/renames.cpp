#include "diff/renames.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <unordered_map>

#include "base/fold.h"
#include "base/parallel.h"
#include "tensor/delta.h"
#include "tensor/stats.h"

namespace ckpt::diff {
namespace {

// What a tensor must hold to be identified by its bytes alone: enough elements, not all equal.
constexpr std::uint64_t kTellingElements = 4;
constexpr std::uint64_t kTellingIntegers = 64;  // masks and counters have few bits per element
// Random vectors of this many elements are nowhere near parallel, once their means are taken out (norms lie
// around one, all of them): |cos| > 0.9 has a chance below 1e-20.
constexpr std::uint64_t kParallelElements = 64;
constexpr double kParallel = 0.9;
constexpr double kNotParallel = 0.6;            // what the second best must stay below
constexpr std::size_t kMostComparisons = 4096;  // pairs of one shape compared element by element ...
constexpr std::uint64_t kMostElements =
    1u << 28;  // ... and the most that they may read; beyond it nothing is claimed

struct Candidate {
  const Place* place = nullptr;
  const tensor::TensorView* view = nullptr;
  const tensor::Storage* storage = nullptr;
  tensor::Stats stats;
  std::string digest;
  bool telling = false;
};

bool is_telling(const tensor::Stats& stats, tensor::DType dtype) {
  if (!tensor::is_floating(dtype) && stats.numel < kTellingIntegers) return false;
  const double low = tensor::to_double(stats.min);
  const double high = tensor::to_double(stats.max);
  return stats.numel >= kTellingElements && (!stats.decoded || !(low == high));
}

template <class PlacePointer>
std::vector<Candidate> candidates(const Side& side, const std::vector<PlacePointer>& places,
                                  std::size_t jobs) {
  std::vector<Candidate> out;
  for (const Place* place : places) {
    if (place->slot.kind != SlotKind::kTensor) continue;
    const TensorRecord& record = side.record(place->slot);
    const tensor::Storage* storage = readable_storage(side.file(), record);
    if (storage == nullptr || record.layout != "strided") continue;
    out.push_back({place, &record.view, storage, {}, {}, false});
  }
  std::vector<tensor::StatsJob> todo;
  todo.reserve(out.size());
  for (const Candidate& c : out) todo.push_back({c.view, c.storage});
  auto stats = tensor::compute_stats_all(todo, jobs);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].stats = stats[i];
    out[i].telling = is_telling(stats[i], out[i].view->dtype);
  }
  parallel_for(out.size(), jobs, [&](std::size_t i) {
    if (out[i].telling) out[i].digest = tensor::compute_sha256(*out[i].view, *out[i].storage);
  });
  return out;
}

class ContentMatcher {
 public:
  ContentMatcher(const Side& base, Side& side, const Unmatched& left, std::size_t jobs)
      : side_(side),
        left_(left),
        old_(candidates(base, left.old_only, jobs)),
        new_(candidates(side, left.new_only, jobs)) {
    for (Place* place : left.new_only) new_places_.emplace(place->key.text, place);
    for (const Place* place : left.old_only) old_order_.emplace(place->key.text, old_order_.size());
    base_ = &base;
  }

  std::vector<Rename> run() {
    match_bytes();
    match_siblings();
    match_parallel();
    match_siblings();
    std::sort(found_.begin(), found_.end(), [&](const Rename& a, const Rename& b) {
      return old_order_.at(a.old_name) < old_order_.at(b.old_name);
    });
    apply();
    return std::move(found_);
  }

 private:
  // Old and new prefixes of names that moved, and how many names moved this way.
  using Heads = std::map<std::pair<std::string_view, std::string_view>, std::size_t>;

  void take(std::string_view old_name, std::string_view new_name, std::string reason) {
    found_.push_back({old_name, new_name, std::move(reason)});
    by_old_.emplace(old_name, new_name);
    taken_new_.emplace(new_name, old_name);
  }
  bool free_old(std::string_view name) const { return by_old_.find(name) == by_old_.end(); }
  bool free_new(std::string_view name) const { return taken_new_.find(name) == taken_new_.end(); }

  static bool alike(const Candidate& a, const Candidate& b) {
    return a.view->dtype == b.view->dtype && a.view->shape == b.view->shape;
  }

  // Exactly one tensor on each side has these bytes. If there are several (zeros, copies), their siblings
  // decide.
  void match_bytes() {
    std::map<std::string_view, std::pair<std::vector<Candidate*>, std::vector<Candidate*>>> groups;
    for (Candidate& c : old_)
      if (c.telling) groups[c.digest].first.push_back(&c);
    for (Candidate& c : new_)
      if (c.telling) groups[c.digest].second.push_back(&c);
    for (const auto& [digest, group] : groups) {
      if (group.first.size() != 1 || group.second.size() != 1 || !alike(*group.first[0], *group.second[0]))
        continue;
      take(group.first[0]->place->key.text, group.second[0]->place->key.text, "identical bytes");
    }
  }

  // If "encoder.0.weight" moved to "backbone.0.weight", so did "encoder.0.bias".
  void match_siblings() {
    Heads heads;
    for (const Rename& rename : found_) {
      const auto pair = differing_heads(rename.old_name, rename.new_name);
      if (!pair.first.empty() && pair.first.size() < rename.old_name.size()) ++heads[pair];
    }
    for (const Place* place : left_.old_only) {
      if (!free_old(place->key.text)) continue;
      if (Place* const target = sibling_of(*place, heads); target != nullptr)
        take(place->key.text, target->key.text, "like its siblings");
    }
  }

  // Where the nearest siblings went. Null if equally many went elsewhere: then they decide nothing.
  Place* sibling_of(const Place& place, const Heads& heads) const {
    const std::string_view name = place.key.text;
    Place* best = nullptr;
    std::pair<std::size_t, std::size_t> best_rank;  // how near, how many
    bool unique = false;
    for (const auto& [head, votes] : heads) {
      if (!is_component_prefix(head.first, name)) continue;
      const auto found =
          new_places_.find(std::string(head.second) + std::string(name.substr(head.first.size())));
      if (found == new_places_.end() || !free_new(found->first) ||
          !same_shape(*base_, place, side_, *found->second))
        continue;
      const std::pair rank(head.first.size(), votes);
      if (best != nullptr && rank < best_rank) continue;
      unique = best == nullptr || rank != best_rank;
      best = found->second;
      best_rank = rank;
    }
    return unique ? best : nullptr;
  }

  static bool is_component_prefix(std::string_view head, std::string_view name) {
    return name.size() > head.size() && name.starts_with(head) && name[head.size()] == '.';
  }

  // The cosine after the means are subtracted; 0 if almost nothing remains.
  static double correlation(const Candidate& a, const Candidate& b) {
    if (!a.stats.decoded || !b.stats.decoded || a.stats.nonfinite() + b.stats.nonfinite() > 0) return 0;
    constexpr double kNothing = 1e-6;  // of the norm
    const auto n = static_cast<double>(a.stats.numel);
    const double spread_a = a.stats.std * std::sqrt(n);
    const double spread_b = b.stats.std * std::sqrt(n);
    if (!(spread_a > kNothing * a.stats.l2) || !(spread_b > kNothing * b.stats.l2)) return 0;
    const double dot =
        tensor::compute_delta(*a.view, *a.storage, *b.view, *b.storage).cosine * a.stats.l2 * b.stats.l2;
    return (dot - n * a.stats.mean * b.stats.mean) / (spread_a * spread_b);
  }

  // Renamed and trained on: the values are no longer equal but nearly parallel, and to no other tensor.
  void match_parallel() {
    std::map<std::pair<tensor::DType, std::vector<std::int64_t>>,
             std::pair<std::vector<Candidate*>, std::vector<Candidate*>>>
        groups;
    const auto collect = [&](std::vector<Candidate>& list, bool old_side) {
      for (Candidate& c : list) {
        const std::string_view name = c.place->key.text;
        if (!c.telling || c.stats.numel < kParallelElements || !(old_side ? free_old(name) : free_new(name)))
          continue;
        auto& group = groups[{c.view->dtype, c.view->shape}];
        (old_side ? group.first : group.second).push_back(&c);
      }
    };
    collect(old_, true);
    collect(new_, false);
    for (auto& [shape, group] : groups)
      if (fits(group.first, group.second)) match_group(group.first, group.second);
  }

  static bool fits(const std::vector<Candidate*>& old_list, const std::vector<Candidate*>& new_list) {
    const std::uint64_t pairs = std::uint64_t{old_list.size()} * new_list.size();
    return pairs > 0 && pairs <= kMostComparisons && old_list.front()->view->numel <= kMostElements / pairs;
  }

  // Pairs that are each other's nearest, with nothing else near either.
  void match_group(const std::vector<Candidate*>& old_list, const std::vector<Candidate*>& new_list) {
    std::vector<Nearest> of_old(old_list.size());
    std::vector<Nearest> of_new(new_list.size());
    for (std::size_t i = 0; i < old_list.size(); ++i)
      for (std::size_t j = 0; j < new_list.size(); ++j) {
        const double c = correlation(*old_list[i], *new_list[j]);
        of_old[i].see(j, c);
        of_new[j].see(i, c);
      }
    for (std::size_t i = 0; i < old_list.size(); ++i) {
      const Nearest& there = of_old[i];
      if (there.is_alone() && of_new[there.index].is_alone() && of_new[there.index].index == i)
        take(old_list[i]->place->key.text, new_list[there.index]->place->key.text, "nearly equal values");
    }
  }

  struct Nearest {
    std::size_t index = 0;
    double first = 0, second = 0;
    void see(std::size_t i, double c) {
      if (c > first) {
        second = first;
        first = c;
        index = i;
      } else {
        second = std::max(second, c);
      }
    }
    bool is_alone() const { return first >= kParallel && second <= kNotParallel; }
  };

  void apply() {
    for (Place& place : side_.places) {
      if (place.key.space != Space::kWeight && place.key.space != Space::kCurrentWeight) continue;
      if (const auto found = taken_new_.find(place.key.text); found != taken_new_.end())
        place.key.text = found->second;
    }
  }

  Side& side_;
  const Side* base_ = nullptr;
  const Unmatched& left_;
  std::vector<Candidate> old_, new_;
  std::unordered_map<std::string, Place*> new_places_;
  std::unordered_map<std::string_view, std::size_t> old_order_;
  std::unordered_map<std::string_view, std::string_view> by_old_, taken_new_;
  std::vector<Rename> found_;
};

}  // namespace

std::vector<Rename> match_contents(const Side& base, Side& side, std::size_t jobs) {
  const Unmatched left = unmatched_weights(base, side);
  if (!left.both()) return {};
  return ContentMatcher(base, side, left, jobs).run();
}

}  // namespace ckpt::diff
