// The learning rates of a file: those of the groups, those that the schedulers remember, and which scheduler
// drives which optimizer. No file says the latter, so it is inferred from what the two have in common: the
// number of groups and, if that is not enough, base_lrs, which every torch scheduler copies from initial_lr
// of the groups when it is created (torch/optim/lr_scheduler.py, LRScheduler.__init__).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lint/checks/training.h"

namespace ckpt::lint {

// One number per group. Empty if one of them is not a finite number: then there is nothing to compare.
using Rates = std::vector<double>;

struct OptimizerRates {
  std::string path;        // optimizer_states[0]
  std::size_t groups = 0;  // known even if the rates are not
  Rates lrs;
  Rates initial;  // of the groups that have one, in order
};

struct SchedulerRates {
  std::string path;       // lr_schedulers[0]
  Rates last;             // _last_lr; a composite's is the rate of the groups, too
  Rates base;             // base_lrs; a composite has those of the first scheduler inside it that has some
  std::string base_path;  // where these are
  bool says = false;      // has base_lrs, or never adds initial_lr (ReduceLROnPlateau)
  // Sets the first rate itself and may leave another initial_lr: OneCycleLR, CyclicLR.
  bool sets_first = false;
  bool zero_due = false;  // has reached an end where it sets 0 (of a composite: one inside has)
  bool fits = false;      // its lists have as many values as some optimizer has groups
};

struct FileRates {
  std::vector<OptimizerRates> optimizers;
  std::vector<SchedulerRates> schedulers;
};

// Empty for files with more than 1000 of either or 100 000 rates in all, more than any training has: lists
// may be shared, and the work must not grow beyond the size of the file.
FileRates rates_of(const Context& context, const Scalars& scalars);

bool same_rate(double a, double b, double rtol);

// Indexes of the schedulers that may drive an optimizer: those with as many rates as it has groups; if
// several optimizers have that many, those that also have its initial rates. Empty if that does not decide
// it.
std::vector<std::size_t> drivers_of(const FileRates& rates, std::size_t optimizer);

// True if one of the schedulers sets a group's rate to 0, or has reached an end where it does. If not,
// optimizer-lr-zero reports a rate of 0; scheduler-lr-drift reports all other differences.
bool explains_zero(const FileRates& rates, std::span<const std::size_t> drivers, std::size_t group);

}  // namespace ckpt::lint
