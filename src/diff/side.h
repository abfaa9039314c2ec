// One input as the comparison sees it: every tensor and every plain value, each at its path and under the key
// that rows are aligned by. Migrations, name maps and optimizers' parameter names change keys and paths here;
// the checkpoint itself never changes. Built by one thread; then const.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/leaves.h"
#include "training/opened.h"

namespace ckpt::diff {

enum class SlotKind : std::uint8_t { kAbsent, kTensor, kLeaf };

struct Slot {
  SlotKind kind = SlotKind::kAbsent;
  std::uint32_t index = 0;  // into Checkpoint::entries or Side::leaves
};

// Names of weights are compared as names, wherever the state_dict is in the file: a plain state_dict meets
// a Trainer's file. Everything else is compared by its path.
enum class Space : std::uint8_t { kPath, kWeight, kCurrentWeight, kOptimizerState };

struct Key {
  Space space = Space::kPath;
  std::uint32_t index = 0;   // kOptimizerState: which optimizer
  std::string_view text;     // the path, or the weight's name, or "NAME field" of an optimizer's state
  std::uint32_t repeat = 0;  // of rows: which of several places with the same spelling in one input
  bool operator==(const Key&) const = default;
};

struct KeyHash {
  std::size_t operator()(const Key& key) const {
    const std::size_t number =
        (std::size_t{key.index} << 32 | key.repeat) + (static_cast<std::size_t>(key.space) << 60);
    return std::hash<std::string_view>{}(key.text) ^ (number * 0x9E3779B97F4A7C15u);
  }
};

struct Place {
  Key key;
  std::string_view path;  // in the file, or where a migration put it
  std::string_view name;  // a weight's name in this input; empty for everything else
  Slot slot;
};

class Side {
 public:
  explicit Side(const Opened& opened);
  Side(Side&&) = default;
  Side& operator=(Side&&) = default;

  const Opened* input = nullptr;
  std::vector<Place> places;  // tensors, then plain values, each in document order
  std::vector<Leaf> leaves;   // of the file, then those that migrations add

  const Checkpoint& file() const { return *input->file; }
  const training::Items& items() const { return input->items; }
  const TensorRecord& record(const Slot& slot) const { return file().record_of(file().entries[slot.index]); }
  const Leaf& leaf(const Slot& slot) const { return leaves[slot.index]; }
  // The tree that a leaf's node belongs to.
  const value::Tree& tree(const Slot& slot) const { return slot.index < own_leaves_ ? file().tree : added_; }

  // Text that lives as long as this side.
  std::string_view keep(std::string text);
  // Replaces the value of a place by an integer that is not in the file.
  void set_integer(Place& place, std::int64_t value);

 private:
  std::size_t own_leaves_ = 0;
  value::Tree added_;
  std::deque<std::string> texts_;
};

// True if `path` is `root` or something below it.
bool is_below(std::string_view path, std::string_view root);

// A path of the state_dict (or current_model_state) as root and name: `root` is Space::kWeight or
// kCurrentWeight.
struct WeightPath {
  Space space = Space::kWeight;
  std::string name;
};
std::optional<WeightPath> weight_path(const training::Items& items, std::string_view path);

}  // namespace ckpt::diff
