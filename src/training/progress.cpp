#include "training/progress.h"

#include <algorithm>

#include "training/keys.h"
#include "value/access.h"

namespace ckpt::training {

std::optional<double> Progress::current_epoch() const {
  return epoch && counts_batches ? std::optional(*epoch - 1) : epoch;
}

Progress read_progress(const value::Tree& tree, const Items& items) {
  using value::member;
  Progress progress;
  progress.epoch = value::number_of(tree, items.epoch);
  progress.global_step = value::number_of(tree, items.global_step);
  progress.counts_batches = items.version && !items.version->at_least(1, 6);
  progress.of_trainer = items.kind == FileKind::kTrainer;
  if (const auto current = progress.current_epoch())
    progress.done = EpochsDone{std::max(0.0, *current - (progress.of_trainer ? 0 : 1)), *current + 1};
  progress.fit_loop = member(tree, items.loops, keys::kFitLoop);
  progress.epoch_progress = member(tree, progress.fit_loop, keys::kEpochProgress);
  progress.batch_progress = member(tree, progress.fit_loop, keys::kBatchProgress);
  progress.epoch_loop_state = member(tree, progress.fit_loop, keys::kEpochLoopState);
  return progress;
}

}  // namespace ckpt::training
