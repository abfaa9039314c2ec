// The learning rate schedulers of a file: entries of lr_schedulers, or what has the form of one, each the
// __dict__ of the scheduler
// without its optimizer (torch/optim/lr_scheduler.py, state_dict).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "training/items.h"

namespace ckpt::training {

struct Scheduler {
  std::string path;  // lr_schedulers[0], lr_schedulers[0]._schedulers[1]
  NodeId node = kNoNode;
  std::string type;        // see scheduler_type
  std::size_t top = 0;     // index in the file of the scheduler that it belongs to
  bool inner = false;      // inside of another one
  bool composite = false;  // SequentialLR, ChainedScheduler: others follow
  NodeId last_epoch = kNoNode;
  NodeId last_lr = kNoNode;  // a list of one rate a group, if the file is whole
};

// Schedulers in document order, each followed by those inside of it (one level: torch does not nest deeper).
// Entries that are no mappings are left out. Linear in the size of the tree, as read_optimizers.
std::vector<Scheduler> read_schedulers(const value::Tree& tree, const Items& items);

// Without those inside of others: what the Trainer has in its list.
std::vector<const Scheduler*> top_schedulers(const std::vector<Scheduler>& schedulers);

// last_epoch, where it is an int; the numbers of _last_lr.
std::optional<std::int64_t> last_epoch_of(const value::Tree& tree, const Scheduler& scheduler);
std::vector<double> last_rates_of(const value::Tree& tree, const Scheduler& scheduler);

}  // namespace ckpt::training
