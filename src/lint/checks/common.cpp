#include "lint/checks/common.h"

#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "checkpoint/element_place.h"
#include "value/walk.h"

namespace ckpt::lint {

std::string show(const Tree& tree, NodeId id) {
  if (id == kNoNode) return "nothing";
  if (const auto n = mapping_items(tree, id).size(); is_mapping(tree, id))
    return "a dict of " + plural(n, "item");
  if (is_sequence(tree, id))
    return "a " + value::type_name(tree, id) + " of " + plural(sequence(tree, id).size(), "item");
  return value::repr(tree, id, 80);
}

bool any_match(std::span<const Glob> globs, std::string_view text) {
  for (const auto& glob : globs)
    if (glob.matches(text)) return true;
  return false;
}

std::vector<Glob> globs_of(const Rule& rule, std::string_view param) {
  std::vector<Glob> result;
  for (const auto& pattern : rule.strings(param)) result.emplace_back(pattern);
  return result;
}

Hit make_hit(std::string path, std::string_view kind, report::PlaceKind place) {
  Hit hit;
  hit.path = std::move(path);
  hit.kind = kind;
  hit.place = place;
  return hit;
}

std::optional<report::ByteRange> bytes_of_element(const Checkpoint& file, const tensor::TensorView& view,
                                                  std::uint64_t flat_index) {
  const auto place = place_of_element(file, view, flat_index);
  if (!place) return std::nullopt;
  return report::ByteRange{place->offset, place->size, std::string(file.part_name(place->part))};
}

std::map<std::string_view, std::size_t> entries_by_path(const Checkpoint& file) {
  std::map<std::string_view, std::size_t> result;
  for (std::size_t i = 0; i < file.entries.size(); ++i) result.emplace(file.entries[i].path, i);
  return result;
}

std::map<std::string, std::string> global_places(const Checkpoint& file) {
  std::map<std::string, std::string> places;
  const Tree& tree = file.tree;
  if (tree.root() == kNoNode) return places;
  const auto note = [&](NodeId id, std::string_view path) {
    if (is_kind(tree, id, Kind::kGlobal)) places.emplace(tree.qualified_name(id), path);
  };
  try {
    value::walk(tree, tree.root(), "", Limits{}, [&](const value::Visit& visit) {
      note(visit.id, visit.path);
      note(tree.origin(visit.id), visit.path);
      if (tree.kind(visit.id) == Kind::kObject) note(tree.object(visit.id).callee, visit.path);
      for (const auto& item : tree.items(visit.id)) note(item.key, visit.path);
      return value::Next::kInto;
    });
  } catch (const Error&) {
    // Beyond the limits: the places found so far are a help for people, the imports are what counts.
  }
  return places;
}

}  // namespace ckpt::lint
