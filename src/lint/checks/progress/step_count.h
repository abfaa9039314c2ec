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
// nullopt where they agree, or where the file lacks one of the two.
std::optional<StepMismatch> step_mismatch_of(const Context& context);

// True for a file from before 1.6 that was migrated, by upgrade_checkpoint or because a run resumed from it.
// The migration sets the completed steps of automatic and manual optimization and the completed epochs in
// progress that is otherwise 0 (utilities/migration/migration.py,
// _migrate_loop_global_step_to_progress_tracking), and they stay ahead for good.
bool has_migrated_loops(const Tree& tree, NodeId fit_loop);

}  // namespace ckpt::lint
