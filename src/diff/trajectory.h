// A run as a series of checkpoints: how far each had come, how its weights moved, and what of it is odd.
// Data, never text for people but for the words of what is odd (trajectory_report.h writes it).
//
// Weights are the floating point tensors of the state_dicts; batch norm's running statistics count only for
// NaN and infinities, for they are no weights and may be larger than all of them. Weights are aligned as
// diff::compare aligns them: wrappers, prefixes and renames against the first checkpoint. Tied weights count
// at each of their names, as state_dict() lists them. Sums are over finite elements.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diff/diff.h"
#include "training/opened.h"
#include "training/rates.h"
#include "training/scores.h"

namespace ckpt::diff {

inline constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// --- the order -----------------------------------------------------------------------------------------
enum class OrderedBy : std::uint8_t { kStep, kEpoch, kGiven };

// Those without a step come last, as given; equal steps are ordered by epoch, then as given.
struct Order {
  OrderedBy by = OrderedBy::kGiven;
  std::vector<std::size_t> inputs;  // indexes as given, in order
  std::size_t without = 0;          // inputs that have no step (or no epoch, if ordered by epoch)
};
// Requires: all of them opened.
Order order_of(std::span<const Opened* const> inputs);

// --- one checkpoint --------------------------------------------------------------------------------------
// |new - ref| and |ref| over the weights that both have, in equal shapes.
struct Movement {
  std::uint64_t compared = 0;  // tensors
  std::uint64_t moved = 0;     // of them: some element differs
  double difference = 0;       // squares
  double reference = 0;
  bool nonfinite = false;  // some element on either side is not finite

  // sqrt(difference / reference); 0 if no element differs, infinite if only the reference is 0, kNone if
  // nothing finite was compared, or only what is not finite differs.
  double relative() const;
};

struct Norm {
  std::uint64_t tensors = 0;
  double squares = 0;
  std::uint64_t nan = 0, inf = 0;  // elements

  double value() const { return tensors == 0 ? kNone : std::sqrt(squares); }
  bool is_finite() const { return nan + inf == 0; }
};

struct Point {
  std::string path;  // as the user typed it
  std::uint64_t size = 0;
  std::optional<double> epoch, step;
  std::vector<training::GroupRate> rates;
  training::RateRule rule = training::RateRule::kNone;
  std::vector<std::string> optimizers;                 // their types
  std::vector<std::optional<double>> optimizer_steps;  // likewise: of the first parameter that has state
  std::optional<training::Score> score;                // of the monitor that all points are shown by
  bool averaged = false;                               // the state_dict is an average (WeightAveraging)
  Norm weights;
  Movement previous, base;  // not of the first point
  // Weights that the previous point has not, or had, or has in another shape.
  std::uint64_t added = 0, removed = 0, reshaped = 0;
};

// A part of the model over all points.
struct Module {
  std::string name;
  std::uint64_t tensors = 0, elements = 0;
  std::vector<Norm> norm;                // one a point
  std::vector<Movement> previous, base;  // likewise
};

// --- what is odd -------------------------------------------------------------------------------------------
enum class OddKind : std::uint8_t {
  kNonFinite,   // NaN or infinities that the point before did not have
  kStopped,     // modules that moved before, and do not while others do
  kStarted,     // modules that move, and did not since the first point
  kStill,       // no weight moves, though steps were made
  kNormJump,    // a norm that doubles or halves, faster than it ever changed
  kRateJump,    // a learning rate that no schedule explains
  kScoreWorse,  // the score loses what was won, or is no number
  kStepBack,    // the epoch or an optimizer's step goes back
};
std::string_view to_string(OddKind kind);  // "nonfinite", "stopped", ...

struct Odd {
  OddKind kind = OddKind::kNonFinite;
  std::uint32_t point = 0;
  std::vector<std::uint32_t> modules;    // may be empty
  std::string text;                      // one line, escaped: what is odd, with numbers, without the point
  double before = kNone, after = kNone;  // of a norm (the most extreme one), a rate, a score, a step
};

struct Trajectory {
  OrderedBy by = OrderedBy::kGiven;
  std::string monitor;  // of the scores; empty: there are none, or they have no name
  std::string mode;     // "min", "max", ""
  std::vector<Point> points;
  std::vector<Module> modules;
  std::vector<Odd> odd;                   // by point, then by kind
  std::vector<NotCompared> not_compared;  // `input` is the point; paths are views into the inputs

  bool has_trouble() const;  // elements that cannot be read
};

// Requires: at least two inputs, opened, in order. Reads each weight once for its norm, once or twice for its
// own changes, once as the previous one, and the first point's once for each other point; all of that for a
// few tensors at a time, so that bytes which fit into memory are read from the disk once. Memory grows with
// the number of names, not with the weights. Of `options`, the names, the filters over weights and `jobs`
// count. Throws Error if elements cannot be read; Error{kUsage} if the filters leave no weight.
Trajectory follow(std::span<const Opened* const> inputs, OrderedBy by, const Options& options);

// The score that a point is shown by.
std::optional<double> score_of(const Point& point);
// The first of the points with the same step up to this one; nullopt if it is that one, or has no step.
std::optional<std::size_t> same_step(const Trajectory& trajectory, std::size_t k);
// True for another file of the same step and with the same weights as the point before: last.ckpt.
bool is_duplicate(const Trajectory& trajectory, std::size_t k);
// "step 300", "epoch 2", "checkpoint 3".
std::string label_of(const Point& point, std::size_t index);
// A count that a file may have as a float: without ".0".
std::string format_whole(double value);

// Private to diff/: fills Trajectory::odd.
void find_odd(Trajectory& trajectory);

}  // namespace ckpt::diff
