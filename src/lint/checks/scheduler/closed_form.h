// The learning rates that schedulers of torch.optim set, where they are a function of the settings and the
// number of steps (torch/optim/lr_scheduler.py: _get_closed_form_lr, get_lr).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "lint/checks/training.h"

namespace ckpt::lint {

// rate = factor * base + offset, for each base_lr.
struct Curve {
  double factor = 1, offset = 0;
};
// After `steps` steps. nullopt for classes without such a form, and for those that a script derived from one:
// a class is recognized by all of its fields.
std::optional<Curve> curve_after(const Tree& tree, NodeId scheduler, double steps);
// Of schedulers that step together, each from the rate that the one before has left: ChainedScheduler.
std::optional<Curve> chained_curve(const Tree& tree, std::span<const Scheduler> inner);

// Where a scheduler's last rates are not what its form gives; `fits` if all are, nullopt if nothing can be
// said.
struct Rated {
  bool fits = true;
  double last = 0, expected = 0;  // of the first group that differs
};
// OneCycleLR reads the ends of its curve from the groups of its optimizer.
std::optional<Rated> compare_rates(const Context& context, const Scalars& scalars, const Scheduler& scheduler,
                                   double steps);
// `last_lr` of another scheduler: the one that holds `base`.
std::optional<Rated> compare_rates(const Context& context, const Scalars& scalars, const Scheduler& base,
                                   const Scheduler& last, const Curve& curve);

}  // namespace ckpt::lint
