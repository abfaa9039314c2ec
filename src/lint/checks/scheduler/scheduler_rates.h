// The learning rates of a file: what the groups have, what the schedulers remember, and which scheduler
// drives which optimizer. Nothing in a file says the latter (an index is missing), so it is told from what
// the two share: the number of groups and, where that is not enough, base_lrs, which every torch scheduler
// copies from initial_lr of the groups when it is made (torch/optim/lr_scheduler.py, LRScheduler.__init__).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lint/checks/training.h"

namespace ckpt::lint {

// One number a group. Empty where one of them is no finite number: there is then nothing to compare, and
// another rule says why.
using Rates = std::vector<double>;

struct OptimizerRates {
  std::string path;        // optimizer_states[0]
  std::size_t groups = 0;  // also where the rates are unknown
  Rates lrs;
  Rates initial;  // of the groups that have one, in order
};

struct SchedulerRates {
  std::string path;   // lr_schedulers[0]
  Rates last;         // _last_lr, of a composite as well: it is the groups' rate there, too
  Rates base;         // base_lrs; of a composite those of the first scheduler inside that has some
  bool says = false;  // has base_lrs, or never leaves initial_lr (ReduceLROnPlateau)
  bool sets_first =
      false;  // OneCycleLR, CyclicLR: sets the first rate itself, and may leave another initial_lr
  bool zero_due = false;  // has come to an end where it sets 0 (of a composite: one inside has)
  bool fits = false;      // its lists have as many values as some optimizer has groups
};

struct FileRates {
  std::vector<OptimizerRates> optimizers;
  std::vector<SchedulerRates> schedulers;
};

// Empty for files with more than 1000 of either, or 100 000 rates in all, which no training has: lists may be
// shared, and what is compared must not grow beyond what the file holds.
FileRates rates_of(const Context& context, const Scalars& scalars);

bool same_rate(double a, double b, double rtol);

// The schedulers that may drive an optimizer, as indexes: those with as many rates as it has groups; if
// several optimizers have as many, those of them with its initial rates. Empty if that does not tell, either.
std::vector<std::size_t> drivers_of(const FileRates& rates, std::size_t optimizer);

// Whether one of the schedulers sets a group's rate to 0, or has come to an end where it does. If not, a rate
// of 0 is a matter of optimizer-lr-zero; scheduler-lr-drift tells everything else that differs.
bool explains_zero(const FileRates& rates, std::span<const std::size_t> drivers, std::size_t group);

}  // namespace ckpt::lint
