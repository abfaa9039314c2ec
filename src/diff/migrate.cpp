#include "diff/migrate.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "diff/match.h"
#include "training/keys.h"
#include "training/sections.h"

namespace ckpt::diff {
namespace {

namespace keys = training::keys;

using training::Version;

// A prefix of paths that a version moved; an empty `to`: it was dropped.
struct Move {
  std::string_view from;
  std::string_view to;
};

// 0.10.0 (_migrate_model_checkpoint_early_stopping): callbacks were top-level keys before they had states.
constexpr Move kCallbackMoves[] = {
    {"checkpoint_callback_best_model_score", "callbacks.ModelCheckpoint.best_model_score"},
    {"checkpoint_callback_best_model_path", "callbacks.ModelCheckpoint.best_model_path"},
    {"checkpoint_callback_best", "callbacks.ModelCheckpoint.best_model_score"},
    {"early_stop_callback_wait", "callbacks.EarlyStopping.wait_count"},
    {"early_stop_callback_patience", "callbacks.EarlyStopping.patience"},
};

// 2.0.0, in Lightning's order: _drop_apex_amp_state, ..._tbptt_removal and ..._optimizer_loop_removal as one
// move each, then ..._dataloader_loop_removal. Lightning forgets the validation loop inside the fit loop; its
// counters moved in the same way.
constexpr std::string_view kFit = keys::kFitLoopPath;
constexpr Move kApexMoves[] = {{keys::kApexAmpState, ""}};
constexpr Move kLoopMoves[] = {
    {R"(["epoch_loop.batch_loop.manual_loop.optim_step_progress"])",
     R"(["epoch_loop.manual_optimization.optim_step_progress"])"},
    {R"(["epoch_loop.batch_loop.manual_loop.state_dict"])",
     R"(["epoch_loop.manual_optimization.state_dict"])"},
    {R"(["epoch_loop.batch_loop.optimizer_loop.optim_progress"].optimizer_position)", ""},
    {R"(["epoch_loop.batch_loop.optimizer_loop.optim_progress"])",
     R"(["epoch_loop.automatic_optimization.optim_progress"])"},
    {R"(["epoch_loop.batch_loop.optimizer_loop.state_dict"])",
     R"(["epoch_loop.automatic_optimization.state_dict"])"},
    {R"(["epoch_loop.val_loop.dataloader_progress"])", ""},
    {R"(["epoch_loop._results"])", ""},  // fault-tolerant training ended with 2.0; nothing reads them
    {R"(["epoch_loop.val_loop._results"])", ""},
    {R"(["epoch_loop.val_loop.epoch_loop.batch_progress"])", R"(["epoch_loop.val_loop.batch_progress"])"},
    {R"(["epoch_loop.val_loop.epoch_loop.state_dict"])", ""},
    {R"(["epoch_loop.batch_loop.state_dict"])", R"(["epoch_loop.state_dict"].old_batch_loop_state_dict)"},
};
constexpr std::array kEvaluationLoops = {std::string_view("loops.validate_loop"),
                                         std::string_view("loops.test_loop"),
                                         std::string_view("loops.predict_loop")};
constexpr Move kEvaluationMoves[] = {
    {".dataloader_progress", ""},
    {"._results", ""},
    {R"(["epoch_loop.batch_progress"])", ".batch_progress"},
    {R"(["epoch_loop.state_dict"])", ".state_dict"},
};

class Migrator {
 public:
  explicit Migrator(Side& side) : side_(side) {}

  // Moves what lies below `root`; returns how many places moved or were dropped.
  template <std::size_t N>
  std::size_t move(std::string_view root, const Move (&moves)[N]) {
    std::size_t count = 0;
    for (const Move& m : moves)
      count += move_one(std::string(root) + std::string(m.from),
                        m.to.empty() ? "" : std::string(root) + std::string(m.to));
    return count;
  }

  // An empty state_dict that newer versions no longer write means nothing.
  std::size_t drop_empty(std::string_view path) {
    return std::erase_if(side_.places, [&](const Place& place) {
      return place.path == path && place.slot.kind == SlotKind::kLeaf &&
             side_.tree(place.slot).kind(side_.leaf(place.slot).node) == value::Kind::kDict;
    });
  }

  Place* find(std::string_view path) {
    const auto found = std::find_if(side_.places.begin(), side_.places.end(),
                                    [&](const Place& p) { return p.path == path; });
    return found == side_.places.end() ? nullptr : &*found;
  }

 private:
  std::size_t move_one(const std::string& from, const std::string& to) {
    if (to.empty())
      return std::erase_if(side_.places, [&](const Place& p) { return is_below(p.path, from); });
    const auto moves = [&](const Place& p) { return is_below(p.path, from); };
    if (std::none_of(side_.places.begin(), side_.places.end(), moves)) return 0;
    // As in Lightning, a moved value replaces what is already there.
    std::erase_if(side_.places, [&](const Place& p) { return is_below(p.path, to) && !moves(p); });
    std::size_t count = 0;
    for (Place& place : side_.places) {
      if (!is_below(place.path, from)) continue;
      place.path = side_.keep(to + std::string(place.path.substr(from.size())));
      place.key = {Space::kPath, 0, place.path};
      ++count;
    }
    return count;
  }

  Side& side_;
};

// Before 1.6 `epoch` was that of the next epoch (dump_checkpoint added one), since then
// it is the current one.
bool count_epochs_from_zero(Side& side, Migrator& migrator) {
  Place* const place = migrator.find(keys::kEpoch);
  if (place == nullptr || place->slot.kind != SlotKind::kLeaf) return false;
  const value::Tree& tree = side.tree(place->slot);
  const value::NodeId node = side.leaf(place->slot).node;
  if (tree.kind(node) != value::Kind::kInt || tree.integer(node) <= 0) return false;
  side.set_integer(*place, tree.integer(node) - 1);
  return true;
}

// 1.9.0: the paths of ModelCheckpoint's values under its current key.
std::string with_current_key(std::string_view path) {
  const std::string root = std::string(keys::kCallbacks) + "[\"";
  if (!path.starts_with(root)) return std::string(path);
  return root + training::current_callback_key(path.substr(root.size()));
}

// Keys that would become one stay as they are: Lightning keeps the last of them, a
// comparison must not lose one.
std::size_t rename_model_checkpoints(Side& side) {
  std::map<std::string, std::set<std::string_view>> origins;  // new root -> the roots that have it
  for (const Place& place : side.places)
    if (const auto callback = parse_callback_path(place.path))
      origins[with_current_key(callback->root)].insert(callback->root);
  std::size_t count = 0;
  for (Place& place : side.places) {
    const auto callback = parse_callback_path(place.path);
    if (!callback || origins[with_current_key(callback->root)].size() > 1) continue;
    std::string path = with_current_key(place.path);
    if (path == place.path) continue;
    place.path = side.keep(std::move(path));
    place.key = {Space::kPath, 0, place.path};
    ++count;
  }
  return count;
}

// --- what versions began to record ---------------------------------------------------------------------

struct Since {
  std::string_view root;    // a path below it ...
  std::string_view suffix;  // ... that ends like this
  Version version;
};

// Lightning's CHANGELOG and the writers' sources: callbacks/model_checkpoint.py, callbacks/early_stopping.py,
// loops/loop.py, core/datamodule.py.
const std::array<Since, 14>& recorded_since() {
  static const std::array<Since, 14> kSince = {{
      {keys::kLoops, "", {1, 6, 0, ""}},
      {"loops.fit_loop[\"epoch_loop.state_dict\"]", "._batches_that_stepped", {1, 6, 5, ""}},
      {keys::kCallbacks, ".best_k_models", {1, 5, 7, ""}},
      {keys::kCallbacks, ".kth_best_model_path", {1, 5, 7, ""}},
      {keys::kCallbacks, ".kth_value", {1, 5, 7, ""}},
      {keys::kCallbacks, ".last_model_path", {1, 5, 7, ""}},
      {keys::kCallbacks, ".monitor", {1, 1, 0, ""}},
      {keys::kCallbacks, ".current_score", {1, 1, 0, ""}},
      {keys::kCallbacks, ".dirpath", {1, 1, 0, ""}},
      {keys::kCallbacks, ".stopping_reason", {2, 6, 0, ""}},
      {keys::kCallbacks, ".stopping_reason_message", {2, 6, 0, ""}},
      {"callbacks.StochasticWeightAveraging", "", {1, 7, 2, ""}},
      {keys::kDataModuleHyperParameters, "", {1, 7, 0, ""}},
      {keys::kDataModuleHparamsName, "", {1, 7, 0, ""}},
  }};
  return kSince;
}

bool before(const Version& a, const Version& b) { return !a.at_least(b.major, b.minor, b.patch); }

// Lightning never recorded the state of a user's own callback.
bool is_own_callback(std::string_view path) {
  constexpr std::array<std::string_view, 3> kOurs = {"ModelCheckpoint", "EarlyStopping",
                                                     "StochasticWeightAveraging"};
  const auto callback = parse_callback_path(path);
  return callback && std::find(kOurs.begin(), kOurs.end(), callback->class_name) == kOurs.end();
}

}  // namespace

Migration migrate(Side& side, const Version& to) {
  Migration out;
  if (!side.items().version || side.items().kind != training::FileKind::kTrainer) return out;
  out.from = *side.items().version;
  out.to = to;
  const auto crosses = [&](int major, int minor, int patch) {
    const Version target{major, minor, patch, ""};
    return before(out.from, target) && to.at_least(major, minor, patch);
  };
  const auto note = [&](std::size_t count, std::string_view text) {
    if (count > 0) out.done.push_back(fmt::format("{} ({})", text, plural(count, "place")));
  };
  Migrator migrator(side);
  if (crosses(0, 10, 0))
    note(migrator.move("", kCallbackMoves), "callbacks' values moved to `callbacks` as in 0.10.0");
  if (crosses(1, 6, 0) && count_epochs_from_zero(side, migrator))
    out.done.emplace_back("epoch counted as in 1.6.0, one less");
  if (crosses(1, 9, 0)) note(rename_model_checkpoints(side), "ModelCheckpoint keys as in 1.9.0");
  if (!crosses(2, 0, 0)) return out;
  note(migrator.move("", kApexMoves), "Apex state dropped as in 2.0.0");
  migrator.drop_empty(std::string(kFit) + R"(["epoch_loop.batch_loop.state_dict"])");
  std::size_t loops = migrator.move(kFit, kLoopMoves);
  for (const std::string_view loop : kEvaluationLoops) {
    // The epoch loop's state replaces the loop's own, if there is one.
    const std::string own = std::string(loop) + ".state_dict";
    const std::string inner = std::string(loop) + R"(["epoch_loop.state_dict"])";
    if (migrator.find(inner) != nullptr)
      std::erase_if(side.places, [&](const Place& p) { return is_below(p.path, own); });
    loops += migrator.move(loop, kEvaluationMoves);
  }
  note(loops, "loops laid out as in 2.0.0");
  return out;
}

bool unrecorded(const Version& version, training::Section section, std::string_view path) {
  // Since 1.6.0, the datamodule's state has its own key, the class name.
  if (section == training::Section::kDataModule) return !version.at_least(1, 6);
  if (is_own_callback(path)) return false;
  for (const Since& since : recorded_since()) {
    if (!is_below(path, since.root) || !before(version, since.version)) continue;
    if (since.suffix.empty() || path.find(since.suffix) != path.npos) return true;
  }
  return false;
}

}  // namespace ckpt::diff
