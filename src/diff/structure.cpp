#include "diff/structure.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"
#include "training/keys.h"
#include "value/access.h"

namespace ckpt::diff {
namespace {

using training::Section;

constexpr std::size_t kMostNames = 8;  // in one text

std::string list_of(const std::vector<std::string_view>& names) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNames); ++i) {
    if (i > 0) out += ", ";
    out += names[i];
  }
  if (names.size() > kMostNames) out += fmt::format(" and {} more", names.size() - kMostNames);
  return out;
}

Change make_change(ChangeKind kind, Part part, Section section, std::uint32_t input, std::string_view path,
                   Detail detail) {
  Change out;
  out.kind = kind;
  out.part = part;
  out.section = section;
  out.input = input;
  out.path = path;
  out.detail = std::make_shared<const Detail>(std::move(detail));
  return out;
}

// --- weights that are one tensor -----------------------------------------------------------------------

// Which weights are views of the same bytes in the same way: tied weights.
class Ties {
 public:
  explicit Ties(const Side& side) : side_(side) {
    std::vector<const Place*> weights;
    for (const Place& place : side.places)
      if (is_weight_tensor(place) && view_of(place).has_storage() && view_of(place).numel > 0)
        weights.push_back(&place);
    const auto bytes = [&](const Place* place) {
      const tensor::TensorView& view = view_of(*place);
      return std::tie(view.storage, view.storage_offset, view.shape, view.strides);
    };
    std::stable_sort(weights.begin(), weights.end(),
                     [&](const Place* a, const Place* b) { return bytes(a) < bytes(b); });
    for (auto first = weights.begin(); first != weights.end();) {
      const auto last =
          std::find_if(first, weights.end(), [&](const Place* p) { return bytes(p) != bytes(*first); });
      if (last - first > 1) {
        for (auto place = first; place != last; ++place)
          group_of_.emplace((*place)->key.text, groups_.size());
        groups_.emplace_back(first, last);
      }
      first = last;
    }
  }

  // For find() and partner(). Most files have no ties, and need none of it.
  void index_names() {
    for (const Place& place : side_.places)
      if (is_weight_tensor(place)) places_.emplace(place.key.text, &place);
  }

  const std::vector<std::vector<const Place*>>& groups() const { return groups_; }
  const Place* find(std::string_view key) const {
    const auto found = places_.find(key);
    return found == places_.end() ? nullptr : found->second;
  }
  // Another weight of the same bytes that `others` has, too; null if there is none.
  const Place* partner(std::string_view key, const Ties& others) const {
    const auto found = group_of_.find(key);
    if (found == group_of_.end()) return nullptr;
    for (const Place* place : groups_[found->second])
      if (place->key.text != key && others.find(place->key.text) != nullptr) return place;
    return nullptr;
  }
  // Of the weights that are tied to others.
  std::unordered_map<std::string_view, const Place*> paths() const {
    std::unordered_map<std::string_view, const Place*> out;
    for (const auto& group : groups_)
      for (const Place* place : group) out.emplace(place->path, place);
    return out;
  }
  bool tied(std::string_view a, std::string_view b) const {
    const auto x = group_of_.find(a);
    const auto y = group_of_.find(b);
    return x != group_of_.end() && y != group_of_.end() && x->second == y->second;
  }

 private:
  static bool is_weight_tensor(const Place& place) {
    return place.key.space == Space::kWeight && place.slot.kind == SlotKind::kTensor;
  }
  const tensor::TensorView& view_of(const Place& place) const { return side_.record(place.slot).view; }

  const Side& side_;
  std::vector<std::vector<const Place*>> groups_;
  std::unordered_map<std::string_view, std::size_t> group_of_;
  std::unordered_map<std::string_view, const Place*> places_;
};

// Groups of `from` that are not tied in `to`, as far as `to` has the weights at all.
void add_broken_ties(const Ties& from, const Ties& to, bool from_base, std::uint32_t input,
                     std::vector<Change>& out) {
  for (const auto& group : from.groups()) {
    std::vector<std::string_view> names;
    const Place* first = nullptr;
    const Place* there = nullptr;
    bool broken = false;
    for (const Place* place : group) {
      const Place* other = to.find(place->key.text);
      if (other == nullptr) continue;
      if (first == nullptr) {
        first = place;
        there = other;
      } else {
        broken = broken || !to.tied(first->key.text, place->key.text);
      }
      names.push_back(place->name);
    }
    if (!broken) continue;
    Detail detail;
    (from_base ? detail.old_text : detail.new_text) = "one tensor: " + list_of(names);
    (from_base ? detail.new_text : detail.old_text) = "separate tensors";
    Change change = make_change(ChangeKind::kSharing, Part::kLayout, Section::kWeights, input,
                                from_base ? there->path : first->path, std::move(detail));
    change.name = from_base ? there->name : first->name;
    out.push_back(std::move(change));
  }
}

// --- groups of parameters ------------------------------------------------------------------------------

// The parameters of a group by name, and how many have none.
struct Members {
  std::vector<std::string_view> names;
  std::size_t unnamed = 0;
  bool operator==(const Members&) const = default;
  std::size_t size() const { return names.size() + unnamed; }
};

Members members_of(const OptimizerParams& params, std::size_t group) {
  Members out;
  for (const std::string& id : params.groups[group])
    if (const auto found = params.names.find(id); found != params.names.end())
      out.names.push_back(found->second);
    else
      ++out.unnamed;
  return out;
}

// "4 parameters" and, of those only here, which.
std::string describe_group(const Members& here, const Members& there) {
  std::string text = plural(here.size(), "parameter");
  if (here.unnamed + there.unnamed > 0) return text;
  const std::set<std::string_view> other(there.names.begin(), there.names.end());
  std::vector<std::string_view> only;
  for (const std::string_view name : here.names)
    if (!other.contains(name)) only.push_back(name);
  if (!only.empty())
    text += fmt::format(" ({}{})", only.size() == here.size() ? "" : "only here: ", list_of(only));
  return text;
}

// A change of a list that no row of the comparison stands for.
void add_list_change(std::uint32_t input, const std::string& path, Detail detail, std::vector<Change>& out) {
  // The sides are const by now; the path lives as long as the detail.
  auto kept = std::make_shared<const std::string>(path);
  const ChangeKind kind = detail.old_text.empty()   ? ChangeKind::kAdded
                          : detail.new_text.empty() ? ChangeKind::kRemoved
                                                    : ChangeKind::kValue;
  Change change = make_change(kind, Part::kOptimizers, Section::kOptimizers, input, *kept, std::move(detail));
  change.owned_path = std::move(kept);
  out.push_back(std::move(change));
}

// Only where the ids of the groups are not compared one by one.
void add_group_changes(const Diff& diff, std::uint32_t input, std::size_t optimizer,
                       std::vector<Change>& out) {
  const OptimizerParams& a = diff.optimizers[0][optimizer];
  const OptimizerParams& b = diff.optimizers[input][optimizer];
  for (std::size_t g = 0; g < std::max(a.groups.size(), b.groups.size()); ++g) {
    const bool in_a = g < a.groups.size(), in_b = g < b.groups.size();
    const Members old_members = in_a ? members_of(a, g) : Members{};
    const Members new_members = in_b ? members_of(b, g) : Members{};
    if (in_a && in_b && old_members == new_members) continue;
    Detail detail;
    if (in_a) detail.old_text = describe_group(old_members, new_members);
    if (in_b) detail.new_text = describe_group(new_members, old_members);
    if (detail.old_text == detail.new_text) {
      if (old_members.unnamed + new_members.unnamed > 0) continue;
      detail.new_text += " in another order";
    }
    const training::Optimizer& with = diff.sides[in_b ? input : 0].input->training.optimizers[optimizer];
    add_list_change(input, value::key_path(with.group_path(g), training::keys::kParams), std::move(detail),
                    out);
  }
}

// Nobody can say whose these states are.
void add_unnamed_states(const Diff& diff, std::uint32_t input, std::size_t optimizer,
                        std::vector<Change>& out) {
  const std::size_t a = diff.unnamed_states[0][optimizer], b = diff.unnamed_states[input][optimizer];
  if (a + b == 0) return;
  Detail detail;
  detail.old_text = plural(a, "state") + " of unknown parameters";
  detail.new_text = plural(b, "state") + " of unknown parameters";
  const OptimizerParams& why = diff.optimizers[b > 0 ? input : 0][optimizer];
  detail.text = "not compared: " + why.why;
  add_list_change(input, diff.sides[0].input->training.optimizers[optimizer].states_path(), std::move(detail),
                  out);
}

void add_parameter_changes(const Diff& diff, std::uint32_t input, std::vector<Change>& out) {
  for (std::size_t i = 0; i < std::min(diff.optimizers[0].size(), diff.optimizers[input].size()); ++i) {
    if (state_keys(diff.optimizers, i) == StateKeys::kIds) continue;
    add_group_changes(diff, input, i, out);
    add_unnamed_states(diff, input, i, out);
  }
}

// --- imports -------------------------------------------------------------------------------------------

// What torch needs to rebuild tensors follows from their dtypes and the version: it says nothing of its own.
bool is_plumbing(const pickle::Import& import) {
  if (import.module == "torch._utils") return import.name.starts_with("_rebuild_");
  if (import.module == "torch.storage" || import.module == "torch")
    return import.name.ends_with("Storage") || tensor::dtype_from_name(import.name).has_value();
  return import.module == "collections" && import.name == "OrderedDict";
}

// Lightning < 1.5 keyed callbacks by their classes; as keys these are compared as callbacks already.
std::set<std::string> callback_classes(const Side& side) {
  std::set<std::string> out;
  const value::Tree& tree = side.file().tree;
  const value::NodeId callbacks = side.items().callbacks;
  if (callbacks == value::kNoNode || tree.kind(callbacks) != value::Kind::kDict) return out;
  for (const value::Item& item : tree.items(callbacks))
    if (tree.kind(item.key) == value::Kind::kGlobal) out.insert(tree.qualified_name(item.key));
  return out;
}

// Name -> whether loading calls it.
std::map<std::string, bool> imports_of(const Side& side) {
  std::map<std::string, bool> out;
  const auto classes = callback_classes(side);
  for (const pickle::Import& import : side.file().imports) {
    std::string name = import.module + "." + import.name;
    if (is_plumbing(import) || (!import.called && classes.contains(name))) continue;
    bool& called = out[std::move(name)];
    called = called || import.called;
  }
  return out;
}

void add_import_changes(const Diff& diff, std::uint32_t input, std::vector<Change>& out) {
  const auto a = imports_of(diff.sides[0]);
  const auto b = imports_of(diff.sides[input]);
  const auto add = [&](ChangeKind kind, const std::string& name, Detail detail) {
    auto path = std::make_shared<const std::string>(name);
    Change change = make_change(kind, Part::kImports, Section::kOther, input, *path, std::move(detail));
    change.owned_path = std::move(path);
    out.push_back(std::move(change));
  };
  const auto use = [](bool called) { return std::string(called ? "called" : "referred to"); };
  for (const auto& [name, called] : a) {
    const auto found = b.find(name);
    if (found == b.end())
      add(ChangeKind::kRemoved, name, {Cause::kNone, "", name, ""});
    else if (found->second != called)
      add(ChangeKind::kValue, name, {Cause::kNone, "", use(called), use(found->second)});
  }
  for (const auto& [name, called] : b)
    if (!a.contains(name)) add(ChangeKind::kAdded, name, {Cause::kNone, "", "", name});
}

// Where one of the formats does not record what shares a storage, nothing is known.
void add_sharing_changes(const Diff& diff, std::uint32_t input, std::vector<Change>& out) {
  const Side &base = diff.sides[0], &other = diff.sides[input];
  if (base.file().unshared || other.file().unshared) return;
  Ties old_ties(base), new_ties(other);
  if (old_ties.groups().empty() && new_ties.groups().empty()) return;
  old_ties.index_names();
  new_ties.index_names();
  add_broken_ties(old_ties, new_ties, true, input, out);
  add_broken_ties(new_ties, old_ties, false, input, out);
}

}  // namespace

std::string_view location_of(const Side& side, const TensorRecord& record) {
  return record.view.has_storage() ? std::string_view(side.file().storages[record.view.storage].location)
                                   : std::string_view();
}

std::vector<Change> rename_changes(const Diff& diff, std::uint32_t input,
                                   const std::vector<Rename>& renames) {
  if (renames.empty()) return {};
  std::unordered_map<std::string_view, const Place*> old_places;
  std::unordered_map<std::string_view, const Place*> new_places;
  for (const Place& place : diff.sides[0].places)
    if (place.key.space == Space::kWeight) old_places.emplace(place.key.text, &place);
  for (const Place& place : diff.sides[input].places)
    if (place.key.space == Space::kWeight) new_places.emplace(place.key.text, &place);
  std::vector<Change> out;
  for (const Rename& rename : renames) {
    const auto a = old_places.find(rename.old_name);
    const auto b = new_places.find(rename.old_name);  // keys are the base's by now
    if (a == old_places.end() || b == new_places.end()) continue;
    Detail detail;
    detail.text = rename.reason;
    Change change = make_change(ChangeKind::kRenamed, Part::kKeys, Section::kWeights, input, b->second->path,
                                std::move(detail));
    change.old_path = a->second->path;
    change.name = b->second->name;
    change.old_name = a->second->name;
    change.old_slot = a->second->slot;
    change.new_slot = b->second->slot;
    out.push_back(std::move(change));
  }
  return out;
}

std::vector<Change> structure_changes(const Diff& diff, std::uint32_t input) {
  std::vector<Change> out;
  add_sharing_changes(diff, input, out);
  add_parameter_changes(diff, input, out);
  add_import_changes(diff, input, out);
  return out;
}

void explain_ties(Diff& diff, std::uint32_t input) {
  const auto one_sided = [&](const Change& change) {
    return change.input == input && change.part == Part::kKeys && !change.detail &&
           (change.kind == ChangeKind::kAdded || change.kind == ChangeKind::kRemoved);
  };
  if (std::none_of(diff.changes.begin(), diff.changes.end(), one_sided)) return;
  Ties old_ties(diff.sides[0]), new_ties(diff.sides[input]);
  if (old_ties.groups().empty() && new_ties.groups().empty()) return;
  old_ties.index_names();
  new_ties.index_names();
  const auto old_paths = old_ties.paths(), new_paths = new_ties.paths();
  for (Change& change : diff.changes) {
    if (!one_sided(change)) continue;
    const bool removed = change.kind == ChangeKind::kRemoved;
    const auto& paths = removed ? old_paths : new_paths;
    const auto place = paths.find(change.path);
    if (place == paths.end()) continue;
    const Ties &here = removed ? old_ties : new_ties, &there = removed ? new_ties : old_ties;
    const Place* partner = here.partner(place->second->key.text, there);
    if (partner == nullptr) continue;
    Detail detail;
    detail.text = removed ? fmt::format("it was tied to {}, which is there", one_line(partner->name))
                          : fmt::format("it is tied to {}, which was there", one_line(partner->name));
    change.detail = std::make_shared<const Detail>(std::move(detail));
  }
}

}  // namespace ckpt::diff
