// What load_state_dict of one scheduler of torch.optim makes of the state of another
// (torch/optim/lr_scheduler.py of torch 2.13): most classes take any fields, some look one up and raise.
#pragma once

#include <cstdint>
#include <string>

#include "value/tree.h"

namespace ckpt::training {

// An entry of lr_schedulers, with the optimizers of the same file: some schedulers keep numbers in the
// groups.
struct SavedScheduler {
  const value::Tree& tree;
  value::NodeId state = value::kNoNode;
  value::NodeId optimizer_states = value::kNoNode;
};

enum class LoadingOutcome : std::uint8_t {
  kFits,
  kRaises,       // in load_state_dict
  kRaisesLater,  // in the next step of the scheduler
  kWrong,        // raises nothing, and the learning rate is not what either run had in mind
};

struct SchedulerLoading {
  LoadingOutcome outcome = LoadingOutcome::kFits;
  std::string text;  // kRaises, kRaisesLater: "KeyError: 'lr_lambdas'"; kWrong: what is wrong
};

// `base` is a state that the scheduler in the code wrote, `other` the one that it loads.
SchedulerLoading load_scheduler(const SavedScheduler& base, const SavedScheduler& other);

}  // namespace ckpt::training
