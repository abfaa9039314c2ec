// N inputs -> rows: what stands at one path in each of them. The first input is the base.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "checkpoint/leaves.h"
#include "checkpoint/opened.h"

namespace ckpt::diff {

enum class SlotKind : std::uint8_t { kAbsent, kTensor, kLeaf };

struct Slot {
  SlotKind kind = SlotKind::kAbsent;
  std::uint32_t index = 0;  // into Checkpoint::entries or the leaves of the input
};

// One side of a comparison: a checkpoint and its plain values. Both must outlive the Alignment.
struct Side {
  const Opened* input = nullptr;
  std::vector<Leaf> leaves;

  const Checkpoint& file() const { return *input->file; }
};

struct Alignment {
  std::size_t inputs = 0;
  std::vector<std::string_view> keys;  // paths: those of the base in its order, then those of the next input ...
  std::vector<Slot> slots;             // keys.size() x inputs

  std::span<const Slot> row(std::size_t i) const { return std::span(slots).subspan(i * inputs, inputs); }
};

Alignment align(std::span<const Side> sides);

}  // namespace ckpt::diff
