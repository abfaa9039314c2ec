#include "diff/names.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/error.h"
#include "base/text.h"

namespace ckpt::diff {
namespace {

bool is_weight(const Place& place) { return place.key.space == Space::kWeight; }
bool is_named(const Place& place) { return is_weight(place) || place.key.space == Space::kCurrentWeight; }

// "a["b.c"][3].d" -> "a.b.c.3.d": how people write a place on a command line.
std::string dotted(std::string_view path) {
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '\\' && i + 1 < path.size()) {
      ++i;
      out += path[i];
    } else if (c == '[') {
      out += out.empty() ? "" : ".";
    } else if (c != ']' && c != '"') {
      out += c;
    }
  }
  return out;
}

void take_subtree(Side& side, const std::string& subtree) {
  const std::string prefix = dotted(subtree) + ".";
  std::vector<Place> kept;
  std::unordered_map<std::string_view, std::string_view> paths;
  for (Place& place : side.places) {
    const std::string name = dotted(place.path);
    if (!name.starts_with(prefix)) continue;
    place.key = {Space::kWeight, 0, side.keep(name.substr(prefix.size()))};
    place.name = place.key.text;
    if (const auto [other, added] = paths.emplace(place.name, place.path); !added)
      fail(ErrorCode::kUsage, fmt::format("two places in {} have the same name: {} and {}",
                                          quote(side.input->path), quote(other->second), quote(place.path)));
    kept.push_back(place);
  }
  if (kept.empty())
    fail(ErrorCode::kUsage, fmt::format("{} has nothing below {}", quote(side.input->path), quote(subtree)));
  side.places = std::move(kept);
}

void check_unique(const Side& side) {
  std::unordered_map<Key, std::string_view, KeyHash> seen;
  for (const Place& place : side.places) {
    if (!is_named(place)) continue;
    const auto [other, added] = seen.try_emplace(place.key, place.name);
    if (added || other->second == place.name) continue;
    fail(ErrorCode::kUsage,
         fmt::format("two names in {} become one: {} and {} both map to {}", quote(side.input->path),
                     quote(other->second), quote(place.name), quote(place.key.text)));
  }
}

void map_names(Side& side, const NameOptions& options) {
  for (Place& place : side.places) {
    if (!is_named(place)) continue;
    std::string name(place.key.text);
    for (const std::string& prefix : options.strip_prefixes)
      if (name.starts_with(prefix) && name.size() > prefix.size()) name.erase(0, prefix.size());
    for (const NameMap& map : options.maps) name = map.apply(name);
    if (name != place.key.text) place.key.text = side.keep(std::move(name));
  }
  check_unique(side);
}

// --- wrappers ------------------------------------------------------------------------------------------

// Attributes that wrappers add to names wherever they wrap: torch.compile (torch/_dynamo/eval_frame.py),
// FSDP (torch/distributed/fsdp), activation checkpointing, Lightning's strategies (fabric/wrappers.py).
constexpr std::array<std::string_view, 4> kWrapperParts = {"_orig_mod.", "_fsdp_wrapped_module.",
                                                           "_checkpoint_wrapped_module.", "_forward_module."};

// Linear in the length: names are untrusted.
std::string without_wrappers(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    if (out.empty() || out.back() == '.') {
      const auto part = std::find_if(kWrapperParts.begin(), kWrapperParts.end(),
                                     [&](std::string_view p) { return name.starts_with(p); });
      if (part != kWrapperParts.end()) {
        name.remove_prefix(part->size());
        continue;
      }
    }
    out += name.front();
    name.remove_prefix(1);
  }
  return out;
}

std::string wrapper_of(std::string_view name) {
  for (const std::string_view part : kWrapperParts)
    if (name.find(part) != name.npos) return std::string(part);
  return {};
}

// Components that a prefix may have; no module is nested deeper, and each costs a look at the rest of the
// name.
constexpr std::size_t kMostPrefixParts = 32;

using ByName = std::unordered_map<std::string_view, Place*>;

ByName by_name(const std::vector<Place*>& places) {
  ByName out;
  for (Place* place : places) out.emplace(place->key.text, place);
  return out;
}

std::ptrdiff_t count_weights(const Side& side) {
  return std::count_if(side.places.begin(), side.places.end(), is_weight);
}

class Matcher {
 public:
  Matcher(const Side& base, Side& side) : base_(base), side_(side) {}

  std::vector<Rename> run() {
    match_wrappers();
    while (match_one_prefix()) {
    }
    follow_current_weights();
    return std::move(out_);
  }

 private:
  void take(const Place& old_place, Place& new_place, std::string reason) {
    out_.push_back({old_place.key.text, new_place.key.text, std::move(reason)});
    renamed_.emplace(new_place.key.text, old_place.key.text);
    new_place.key.text = old_place.key.text;
  }

  void match_wrappers() {
    const Unmatched left = unmatched_weights(base_, side_);
    if (!left.both()) return;
    std::unordered_map<std::string, Place*> plain;
    for (Place* place : left.new_only) plain.emplace(without_wrappers(place->key.text), place);
    for (const Place* place : left.old_only) {
      const auto found = plain.find(without_wrappers(place->key.text));
      if (found == plain.end() || found->second == nullptr) continue;
      const std::string added = wrapper_of(found->second->key.text);
      const std::string removed = wrapper_of(place->key.text);
      take(*place, *found->second,
           added.size() > removed.size() ? fmt::format("`{}` added by a wrapper", added)
                                         : fmt::format("wrapper's `{}` removed", removed));
      found->second = nullptr;
    }
  }

  // The prefix that most of the shorter names need to become longer ones, counting pairs of equal shape only.
  template <class Short, class Long>
  std::pair<std::string, std::size_t> best_prefix(const std::vector<Short*>& shorter,
                                                  const std::vector<Long*>& longer, bool old_is_short) const {
    std::unordered_map<std::string_view, const Place*> names;
    for (const Place* place : shorter) names.emplace(place->key.text, place);
    std::map<std::string_view, std::size_t> votes;
    for (const Place* place : longer) {
      const std::string_view name = place->key.text;
      std::size_t parts = 0;
      for (std::size_t dot = name.find('.'); dot != name.npos && ++parts <= kMostPrefixParts;
           dot = name.find('.', dot + 1)) {
        const auto found = names.find(name.substr(dot + 1));
        if (found == names.end()) continue;
        const bool fits = old_is_short ? same_shape(base_, *found->second, side_, *place)
                                       : same_shape(base_, *place, side_, *found->second);
        if (fits) ++votes[name.substr(0, dot + 1)];
      }
    }
    const auto best = std::max_element(votes.begin(), votes.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    if (best == votes.end()) return {};
    return {std::string(best->first), best->second};
  }

  bool match_one_prefix() {
    const Unmatched left = unmatched_weights(base_, side_);
    if (!left.both()) return false;
    const auto [added, added_votes] = best_prefix(left.old_only, left.new_only, true);
    const auto [removed, removed_votes] = best_prefix(left.new_only, left.old_only, false);
    const bool adds = added_votes >= removed_votes;
    const std::size_t votes = std::max(added_votes, removed_votes);
    // Names may match by chance: at least half of what could match must, and one match is not a pattern.
    if (votes == 0 || 2 * votes < std::min(left.old_only.size(), left.new_only.size())) return false;
    if (votes == 1 && (count_weights(base_) > 1 || count_weights(side_) > 1)) return false;
    const std::string& prefix = adds ? added : removed;
    const ByName new_names = by_name(left.new_only);
    for (const Place* place : left.old_only) {
      const std::string_view name = place->key.text;
      if (!adds && !name.starts_with(prefix)) continue;
      const auto found =
          new_names.find(adds ? prefix + std::string(name) : std::string(name.substr(prefix.size())));
      if (found != new_names.end())
        take(*place, *found->second, fmt::format("prefix `{}` {}", prefix, adds ? "added" : "removed"));
    }
    return true;
  }

  // The live weights of an averaged file also have the model's names.
  void follow_current_weights() {
    for (Place& place : side_.places) {
      if (place.key.space != Space::kCurrentWeight) continue;
      if (const auto found = renamed_.find(place.key.text); found != renamed_.end())
        place.key.text = found->second;
    }
  }

  const Side& base_;
  Side& side_;
  std::vector<Rename> out_;
  std::unordered_map<std::string_view, std::string_view> renamed_;  // new name -> key
};

}  // namespace

NameMap::NameMap(const std::string& text) {
  const std::size_t arrow = text.find("=>");
  if (arrow == text.npos || arrow == 0)
    fail(ErrorCode::kUsage, fmt::format("--map takes 'RE=>REPL', not {}", quote(text)));
  re2::RE2::Options options;
  options.set_log_errors(false);
  expression_ = std::make_shared<const re2::RE2>(re2::StringPiece(text.data(), arrow), options);
  replacement_ = text.substr(arrow + 2);
  if (!expression_->ok())
    fail(ErrorCode::kUsage,
         fmt::format("--map {}: not a regular expression: {}", quote(text), one_line(expression_->error())));
  std::string error;
  if (!expression_->CheckRewriteString(replacement_, &error))
    fail(ErrorCode::kUsage, fmt::format("--map {}: {}", quote(text), one_line(error)));
}

std::string NameMap::apply(std::string_view name) const {
  std::string out(name);
  re2::RE2::Replace(&out, *expression_, replacement_);
  return out;
}

void apply_names(std::span<Side> sides, const NameOptions& options) {
  if (!options.subtrees.empty()) {
    for (std::size_t i = 0; i < sides.size(); ++i) {
      if (!options.subtrees[i].empty())
        take_subtree(sides[i], options.subtrees[i]);
      else
        std::erase_if(sides[i].places, [](const Place& place) { return !is_weight(place); });
    }
  }
  if (options.maps.empty() && options.strip_prefixes.empty()) return;
  for (Side& side : sides) map_names(side, options);
}

namespace {

// True if both have weights of the same names in the same order: nearly always, and cheap to see.
bool same_weights(const Side& base, const Side& side) {
  auto a = base.places.begin(), b = side.places.begin();
  while (true) {
    a = std::find_if(a, base.places.end(), is_weight);
    b = std::find_if(b, side.places.end(), is_weight);
    if (a == base.places.end() || b == side.places.end())
      return a == base.places.end() && b == side.places.end();
    if (a->key.text != b->key.text) return false;
    ++a;
    ++b;
  }
}

}  // namespace

Unmatched unmatched_weights(const Side& base, Side& side) {
  if (same_weights(base, side)) return {};
  std::unordered_set<std::string_view> old_names;
  std::unordered_set<std::string_view> new_names;
  for (const Place& place : base.places)
    if (is_weight(place)) old_names.insert(place.key.text);
  for (const Place& place : side.places)
    if (is_weight(place)) new_names.insert(place.key.text);
  const auto is_part = [](const Side& s, const Place& p) {
    return p.slot.kind == SlotKind::kTensor && s.file().entries[p.slot.index].part;
  };
  Unmatched out;
  for (const Place& place : base.places)
    if (is_weight(place) && !is_part(base, place) && !new_names.contains(place.key.text))
      out.old_only.push_back(&place);
  for (Place& place : side.places)
    if (is_weight(place) && !is_part(side, place) && !old_names.contains(place.key.text))
      out.new_only.push_back(&place);
  return out;
}

bool same_shape(const Side& base, const Place& old_place, const Side& side, const Place& new_place) {
  if (old_place.slot.kind != new_place.slot.kind) return false;
  if (old_place.slot.kind != SlotKind::kTensor) return true;
  return base.record(old_place.slot).view.shape == side.record(new_place.slot).view.shape;
}

std::vector<Rename> match_prefixes(const Side& base, Side& side) { return Matcher(base, side).run(); }

}  // namespace ckpt::diff
