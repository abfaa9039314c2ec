#include "diff/side.h"

#include "training/keys.h"
#include "training/weights.h"

namespace ckpt::diff {
namespace {

constexpr std::string_view kCurrentModel = training::keys::kCurrentModelState;

// The name inside ROOT["NAME"] or ROOT.NAME as a view of the path, where nothing is escaped.
std::optional<std::string_view> plain_name(std::string_view path, std::string_view root) {
  std::string_view rest = path.substr(root.size());
  if (rest.find('\\') != rest.npos) return std::nullopt;
  if (rest.starts_with("[\"") && rest.ends_with("\"]") && rest.find('"', 2) == rest.size() - 2)
    return rest.substr(2, rest.size() - 4);
  if (rest.find('[') != rest.npos || rest.find('"') != rest.npos) return std::nullopt;
  if (rest.starts_with('.')) return rest.substr(1);
  return root.empty() ? std::optional(rest) : std::nullopt;
}

Key key_of(Side& side, std::string_view path) {
  const training::Items& items = side.items();
  const bool current = items.current_model_state != value::kNoNode && is_below(path, kCurrentModel);
  const training::StateDict* weights = current ? nullptr : training::state_dict_of(items, path);
  if (!weights && !current) return {Space::kPath, 0, path};
  const Space space = current ? Space::kCurrentWeight : Space::kWeight;
  if (current || !weights->names)
    if (const auto name = plain_name(path, current ? kCurrentModel : std::string_view(weights->path)))
      return {space, 0, *name};
  if (auto parts = weight_path(items, path)) return {parts->space, 0, side.keep(std::move(parts->name))};
  return {Space::kPath, 0, path};
}

}  // namespace

Side::Side(const Opened& opened)
    : input(&opened), leaves(collect_leaves(*opened.file)), own_leaves_(leaves.size()) {
  const auto& entries = file().entries;
  places.reserve(entries.size() + leaves.size());
  const auto add = [&](std::string_view path, Slot slot) {
    const Key key = key_of(*this, path);
    places.push_back({key, path, key.space == Space::kPath ? std::string_view() : key.text, slot});
  };
  for (std::uint32_t i = 0; i < entries.size(); ++i) add(entries[i].path, {SlotKind::kTensor, i});
  for (std::uint32_t i = 0; i < leaves.size(); ++i)
    add(keep(leaves[i].path), {SlotKind::kLeaf, i});  // kept: leaves may grow and move
}

std::string_view Side::keep(std::string text) { return texts_.emplace_back(std::move(text)); }

void Side::set_integer(Place& place, std::int64_t value) {
  leaves.push_back({std::string(place.path), added_.add_int(value), false});
  place.slot = {SlotKind::kLeaf, static_cast<std::uint32_t>(leaves.size() - 1)};
}

bool is_below(std::string_view path, std::string_view root) {
  if (root.empty()) return true;
  return path.starts_with(root) &&
         (path.size() == root.size() || path[root.size()] == '.' || path[root.size()] == '[');
}

std::optional<WeightPath> weight_path(const training::Items& items, std::string_view path) {
  if (items.current_model_state != value::kNoNode && is_below(path, kCurrentModel)) {
    if (auto name = training::name_below(kCurrentModel, path))
      return WeightPath{Space::kCurrentWeight, std::move(*name)};
    return std::nullopt;
  }
  if (auto name = training::weight_name(items, path)) return WeightPath{Space::kWeight, std::move(*name)};
  return std::nullopt;
}

}  // namespace ckpt::diff
