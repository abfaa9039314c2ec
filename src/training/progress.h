// How far the training had come.
#pragma once

#include <optional>

#include "training/items.h"

namespace ckpt::training {

// The number of epochs that are certainly done, and the most that may be.
struct EpochsDone {
  double low = 0, high = 0;
};

struct Progress {
  // As the file has them; of files of other loops under the usual names (items.cpp), where nobody knows
  // whether an epoch is the last or the next one, and whether steps are batches.
  std::optional<double> epoch, global_step;
  bool of_trainer = false;
  // Of Lightning before 1.6: `epoch` is the next epoch and global_step counts batches; since then `epoch` is
  // the current one and global_step counts steps of all optimizers (utilities/migration/migration.py,
  // _migrate_loop_current_epoch_to_progress_tracking and _migrate_loop_global_step_to_progress_tracking).
  bool counts_batches = false;
  std::optional<EpochsDone> done;
  // The loops of Trainer.fit, since 1.6: loops.fit_loop and what it keeps of its epochs and batches.
  NodeId fit_loop = kNoNode;
  NodeId epoch_progress = kNoNode, batch_progress = kNoNode;
  NodeId epoch_loop_state = kNoNode;

  // `epoch` as Lightning 1.6 and later count it.
  std::optional<double> current_epoch() const;
};

Progress read_progress(const value::Tree& tree, const Items& items);

}  // namespace ckpt::training
