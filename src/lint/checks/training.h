// Numbers of the training state as rules read and show them. What the state is: training/state.h.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lint/checks/common.h"

namespace ckpt::lint {

using training::id_text;
using training::is_set;
using training::Optimizer;
using training::ParamGroup;
using training::Scheduler;

// torch's state, whoever saved it. What holds for a Trainer's file alone asks for Progress::of_trainer.
std::span<const Optimizer> optimizers_of(const Context& context);
std::span<const Scheduler> schedulers_of(const Context& context);

// A number, or the value of a one-element tensor among the entries that the rule selects; see Context::stats.
class Scalars {
 public:
  Scalars(const Context& context, const Rule& rule);
  std::optional<double> value(NodeId node, std::string_view path) const;

 private:
  const Context& context_;
  std::map<std::string_view, std::size_t> entries_;
};

// What a message shows of a number: as the file has it (2000, 2000.0), of a tensor the value that Scalars has
// read: tensor(0.1).
std::string show_scalar(const Checkpoint& file, NodeId node, std::optional<double> value);

}  // namespace ckpt::lint
