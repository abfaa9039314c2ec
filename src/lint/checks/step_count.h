// global_step against the optimizer steps that the loops counted.
#pragma once

#include <optional>
#include <string>

#include "lint/checks/common.h"

namespace ckpt::lint {

struct StepMismatch {
  double steps = 0, counted = 0;
  std::string progress;  // the counter's path without ".total.completed"
};
// nullopt where they agree, or where one of the two is not in the file.
std::optional<StepMismatch> step_mismatch_of(const Context& context);

}  // namespace ckpt::lint
