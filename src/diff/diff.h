// What differs between a base checkpoint and others: data, never text. An operation on the neutral model: no
// format knows of it, and it prints nothing (to_report.h makes a Report of it).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/glob.h"
#include "checkpoint/lightning.h"
#include "diff/align.h"
#include "tensor/delta.h"

namespace ckpt::diff {

enum class ChangeKind : std::uint8_t {
  kRemoved,
  kAdded,
  kType,     // a tensor became a plain value, an int became a string, ...
  kShape,
  kDType,
  kValues,   // elements of a tensor
  kValue,    // a plain value
};
std::string_view to_string(ChangeKind kind);  // "removed", "added", "type", "shape", "dtype", "values", "value"

struct Change {
  ChangeKind kind = ChangeKind::kValue;
  std::string path;
  lightning::Section section = lightning::Section::kOther;
  std::size_t input = 1;                // the input that differs from the base (input 0)
  Slot old_slot, new_slot;
  std::optional<tensor::Delta> delta;   // kValues
};

// A tensor whose elements could not be compared, and why: never silence.
struct NotCompared {
  std::string path;
  std::size_t input = 1;
  bool trouble = false;                 // bytes are missing (status 2), rather than there being none by design
};

// Of one input against the base.
struct Totals {
  std::uint64_t tensors = 0;            // in this input
  std::uint64_t elements = 0;
  std::uint64_t compared = 0;           // tensors compared element by element
  std::uint64_t identical = 0;          // of these: no element differs
};

struct Options {
  tensor::Tolerance tolerance;
  std::vector<Glob> only;               // paths or weight names; empty: everything
  std::vector<Glob> ignore;
  std::size_t jobs = 1;
};

struct Diff {
  std::vector<Side> sides;              // sides[0] is the base
  std::vector<Change> changes;          // by input, section, document order
  std::vector<NotCompared> not_compared;
  std::vector<Totals> totals;           // per input; [0] holds the base's own tensors and elements

  bool different() const { return !changes.empty(); }
};

// Requires: at least two inputs, all of them opened. Throws Error where reading a tensor's bytes fails.
Diff compare(std::span<const Opened* const> inputs, const Options& options);

// Plain values equal as Python compares them (1 == 1.0, NaN equals NaN here), floats within the tolerance.
// Another type that is no number in both is never equal.
bool equal_leaves(const Checkpoint& a, const Leaf& x, const Checkpoint& b, const Leaf& y, const tensor::Tolerance& tolerance);

}  // namespace ckpt::diff
