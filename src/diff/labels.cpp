#include "diff/labels.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "diff/match.h"
#include "training/keys.h"
#include "value/path.h"

namespace ckpt::diff {
namespace {

namespace keys = training::keys;

std::string_view below(std::string_view path, std::string_view root) {
  if (!is_below(path, root) || path.size() == root.size()) return path;
  path.remove_prefix(root.size());
  return path.starts_with('.') ? path.substr(1) : path;
}

// Of the file that the path of a change is in.
const training::Items& items_of(const Diff& diff, const Change& change) {
  return diff.sides[change.kind == ChangeKind::kRemoved ? 0 : change.input].items();
}

// The path of a change in an optimizer or a scheduler as a Trainer's file has it.
std::string trainer_path(const Diff& diff, const Change& change) {
  return training::trainer_path(items_of(diff, change), change.path).value_or(std::string(change.path));
}

// The path after "optimizer_states[0]".
std::string below_element(const Diff& diff, const Change& change) {
  const std::string path = trainer_path(diff, change);
  const std::size_t close = path.find(']');
  if (close == path.npos || close + 1 >= path.size()) return path;
  return path.substr(path[close + 1] == '.' ? close + 2 : close + 1);
}

std::string callback_label(const Diff& diff, const Change& change) {
  const auto callback = parse_callback_path(change.path);
  if (!callback) return std::string(change.path);
  const auto old_callback = parse_callback_path(change.old_path);
  if (change.kind == ChangeKind::kRenamed && old_callback)
    return fmt::format("{} -> {}", old_callback->root.substr(9), callback->root.substr(9));
  const bool alone = !diff.crowded_callbacks.contains(callback->class_name);
  const std::string_view shown = alone ? callback->class_name : callback->root.substr(9);
  return std::string(shown) + std::string(change.path.substr(callback->root.size()));
}

std::string root_of(const std::string& key) {
  std::string root;
  value::append_key(root, key);
  return root;
}

std::string state_label(const Diff& diff, const Change& change, std::string_view rest) {
  return change.name.empty() ? below_element(diff, change) : std::string(change.name) + std::string(rest);
}

}  // namespace

std::string label_of(const Diff& diff, const Change& change) {
  const Side& side = diff.sides[change.input];
  switch (change.part) {
    case Part::kKeys:
    case Part::kLayout:
    case Part::kWeights:
      if (change.kind == ChangeKind::kRenamed) return fmt::format("{} -> {}", change.old_name, change.name);
      return std::string(change.name.empty() ? change.path : change.name);
    case Part::kOptimizers:
      if (const auto state = parse_state_path(items_of(diff, change), change.path))
        return state_label(diff, change, state->rest);
      return below_element(diff, change);
    case Part::kSchedulers: return below_element(diff, change);
    case Part::kLoops: return std::string(below(change.path, keys::kLoops));
    case Part::kCallbacks: return callback_label(diff, change);
    case Part::kPrecision:
      if (change.kind == ChangeKind::kRenamed) return fmt::format("{} -> {}", change.old_path, change.path);
      return std::string(below(change.path, root_of(side.items().precision_key)));
    case Part::kDataModule:
      if (change.kind == ChangeKind::kRenamed) return fmt::format("{} -> {}", change.old_path, change.path);
      return std::string(below(change.path, root_of(side.items().datamodule_key)));
    case Part::kHyperParameters: return std::string(below(change.path, keys::kHyperParameters));
    case Part::kDataModuleHyperParameters:
      return std::string(below(change.path, keys::kDataModuleHyperParameters));
    case Part::kAveraging:
      return change.name.empty()
                 ? std::string(change.path)
                 : std::string(training::keys::kCurrentModelState) + " " + std::string(change.name);
    case Part::kContainer:
    case Part::kMeta:
    case Part::kOther:
    case Part::kImports: return change.path.empty() ? "<root>" : std::string(change.path);
  }
  return std::string(change.path);
}

std::string_view counted_by(std::string_view path) {
  // The first that is in the path; optimizer_loop and batch_loop are those of before 2.0.
  constexpr std::pair<std::string_view, std::string_view> kCounters[] = {
      {"val_loop.batch_progress", "validation batches"},
      {"val_loop.epoch_loop.batch_progress", "validation batches"},
      {"val_loop.dataloader_progress", "validation dataloaders"},
      {"dataloader_progress", "dataloaders"},
      {"batch_progress", "batches"},
      {"scheduler_progress", "scheduler steps"},
      {"zero_grad", "zero_grad calls"},
      {"optim_step_progress", "manual optimizer steps"},
      {"optim_progress", "optimizer steps"},
      {keys::kEpochProgress, "epochs"},
      {keys::kBatchesThatStepped, "batches that stepped"},
  };
  for (const auto& [part, what] : kCounters)
    if (path.find(part) != path.npos) return what;
  return {};
}

std::string folding_label(const Diff& diff, const Change& change) {
  if (change.kind == ChangeKind::kDevice) return "devices";  // which is said by the change itself
  if (change.part == Part::kOptimizers && !change.name.empty())
    if (const auto state = parse_state_path(items_of(diff, change), change.path)) {
      const bool one_sided = change.kind == ChangeKind::kAdded || change.kind == ChangeKind::kRemoved;
      if (one_sided) return "state" + std::string(state->rest);
      return std::string(state->rest.starts_with('.') ? state->rest.substr(1) : state->rest);
    }
  if (change.part == Part::kLoops && change.kind == ChangeKind::kValue &&
      is_below(change.path, keys::kLoops)) {
    const std::string_view rest = below(change.path, keys::kLoops);
    return fmt::format("counters of {}", rest.substr(0, rest.find_first_of(".[")));
  }
  return label_of(diff, change);
}

std::uint32_t list_index(const Diff& diff, const Change& change) {
  if (change.part != Part::kOptimizers && change.part != Part::kSchedulers) return 0;
  const std::string path = trainer_path(diff, change);
  const std::size_t open = path.find('[');
  std::uint32_t index = 0;
  if (open != path.npos) std::from_chars(path.data() + open + 1, path.data() + path.size(), index);
  return index;
}

std::string without_folders(const std::string& text) {
  std::string out;
  std::size_t done = 0;
  for (std::size_t at = text.find("\"/"); at != text.npos; at = text.find("\"/", at)) {
    const std::size_t end = text.find('"', at + 1);
    if (end == text.npos) break;
    const std::size_t slash = text.rfind('/', end);
    if (slash > at + 1) {
      out.append(text, done, at + 1 - done).append("…");
      done = slash;
    }
    at = end;
  }
  return out.append(text, done);
}

}  // namespace ckpt::diff
