// What differs between a base checkpoint and others: data, never text. Works on the neutral model: it is
// independent of formats and prints nothing (to_report.h turns it into a Report).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/glob.h"
#include "diff/migrate.h"
#include "diff/names.h"
#include "diff/optimizers.h"
#include "diff/side.h"
#include "tensor/delta.h"
#include "training/items.h"
#include "training/sections.h"

namespace ckpt::diff {

enum class ChangeKind : std::uint8_t {
  kRemoved,
  kAdded,
  kRenamed,  // the same thing under another name or key
  kType,     // a tensor became a plain value, an int became a string, ...
  kShape,
  kDType,
  kDevice,
  kSharing,  // weights that were one tensor are two, or the reverse
  kValues,   // elements of a tensor
  kValue,    // a plain value
};
std::string_view to_string(ChangeKind kind);  // "removed", "added", "renamed", ...

// The parts of the report, most important first. Each change belongs to one part.
enum class Part : std::uint8_t {
  kContainer,
  kMeta,
  kKeys,     // weights added, removed, renamed
  kLayout,   // of weights: shapes, dtypes, devices, sharing
  kWeights,  // their numbers
  kOptimizers,
  kSchedulers,
  kLoops,
  kCallbacks,
  kPrecision,
  kHyperParameters,
  kDataModuleHyperParameters,
  kDataModule,
  kAveraging,
  kOther,
  kImports,
};
std::string_view title(Part part);                          // "hyperparameters"
std::optional<Part> part_from_name(std::string_view name);  // "datamodule-hyperparameters"
std::vector<std::string> part_names();

// How a difference came about; verified on all elements.
enum class Cause : std::uint8_t { kNone, kCast, kTransposed, kPermuted, kScaled, kResized, kLowRank };
std::string_view to_string(Cause cause);  // "cast", "transposed", ...

// Details that few changes have.
struct Detail {
  Cause cause = Cause::kNone;
  std::string text;  // of the cause ("scaled by 0.5") or of a rename ("prefix `module.` removed")
  std::string old_text, new_text;  // what each side has, if it is neither a tensor nor a plain value
};

struct Change {
  ChangeKind kind = ChangeKind::kValue;
  Part part = Part::kOther;
  training::Section section = training::Section::kOther;
  std::uint32_t input = 1;    // the input that differs from the base (input 0)
  std::string_view path;      // in the input; in the base if the input lacks it
  std::string_view old_path;  // in the base, if it differs; else empty
  std::string_view name;      // of a weight, or of the parameter whose state this is
  std::string_view old_name;  // of a renamed weight in the base
  Slot old_slot, new_slot;
  std::optional<tensor::Delta> delta;    // kValues
  std::optional<std::uint64_t> max_ulp;  // kValues: the largest distance in units in the last place, if small
  std::optional<std::pair<double, double>> numbers;  // kValues of one element: old and new
  std::shared_ptr<const Detail> detail;              // may be null
  std::shared_ptr<const std::string> owned_path;     // owns `path` if no file does
};

// A tensor whose elements could not be compared, and why, so that none is silently skipped.
struct NotCompared {
  std::string_view path;
  std::uint32_t input = 1;
  bool trouble = false;  // bytes are missing (status 2); false: there are none by design
};

// Two weights whose elements were compared, and how far one moved; kept for pictures.
struct WeightPair {
  std::uint32_t input = 1;
  std::string_view name;   // in the input
  double change = 0;       // sum of (new - old)^2 over pairs of finite elements
  double base = 0;         // sum of old^2 over them
  bool nonfinite = false;  // some element of the input is NaN or infinite
};

// One input compared with the base.
struct Totals {
  std::uint64_t tensors = 0;  // in this input
  std::uint64_t elements = 0;
  std::uint64_t compared = 0;    // tensors compared element by element; of these:
  std::uint64_t identical = 0;   // no element differs
  std::uint64_t close = 0;       // elements differ, all within the tolerance
  std::uint64_t unrecorded = 0;  // places that the older version did not write
  std::uint64_t unheld = 0;      // places that one file's format cannot hold, or keeps for itself
  // If one of the two files is averaged: its live weights compared with the other's state_dict.
  std::uint64_t live_compared = 0, live_identical = 0;
  Migration migration;  // of this input's view
};

struct GlobTolerance {
  Glob glob;  // tensor names or paths
  tensor::Tolerance tolerance;
};

struct Options {
  NameOptions names;
  tensor::Tolerance tolerance;            // unless overridden below
  bool close = false;                     // torch.testing.assert_close's tolerance of the dtype instead
  std::vector<GlobTolerance> tolerances;  // the last that matches wins
  std::set<Part> only_parts;              // empty, as all filters: everything
  std::vector<Glob> only;                 // paths or weight names
  std::set<Part> ignore_parts;
  std::vector<Glob> ignore;
  std::vector<tensor::DType> dtypes;  // tensors of one of these types, on either side
  std::vector<Glob> shapes;           // of one of these shapes: "[*, 768]", on either side
  bool migrate = true;
  bool explain = true;
  bool pictures = false;  // keep Diff::weight_pairs
  std::size_t jobs = 1;

  bool filters_places() const {
    return !only.empty() || !ignore.empty() || !dtypes.empty() || !shapes.empty();
  }
};

struct Diff {
  std::vector<Side> sides;                               // sides[0] is the base
  std::vector<std::vector<OptimizerParams>> optimizers;  // one vector a side
  std::vector<std::vector<std::size_t>> unnamed_states;  // likewise: those that are not compared
  std::set<std::string_view> crowded_callbacks;          // classes that some side has several callbacks of
  std::vector<Change> changes;                           // by input, part, document order
  std::vector<NotCompared> not_compared;
  std::vector<WeightPair> weight_pairs;  // in the order of the rows; empty unless asked for
  std::vector<Totals> totals;            // per input; [0] holds the base's own tensors and elements

  bool different() const { return !changes.empty(); }
};

// Requires: at least two inputs, all of them opened. Throws Error if a tensor's bytes cannot be read, and
// Error{kUsage} if names cannot be mapped as the options say.
Diff compare(std::span<const Opened* const> inputs, const Options& options);

// Equality of plain values as in Python (1 == 1.0, NaN equals NaN unless the tolerance says otherwise),
// floats within the tolerance. Values of different types are only ever equal if both are numbers.
bool equal_leaves(const value::Tree& a, const Leaf& x, const value::Tree& b, const Leaf& y,
                  const tensor::Tolerance& tolerance);

}  // namespace ckpt::diff
