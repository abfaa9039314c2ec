// The training state as its rules see it: optimizers with their groups, schedulers with those inside of them.
// Everything may be missing or of another type; nothing here throws.
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

// For value::repr of a parameter's id: names of FSDP files are long, and two of them must not look the same.
inline constexpr std::size_t kWholeName = 1 << 16;

struct OptimizerAt {
  std::string path;  // optimizer_states[0]
  NodeId node = kNoNode;
  NodeId state = kNoNode;          // a mapping from parameter ids, or anything
  std::span<const NodeId> groups;  // param_groups

  std::string group_path(std::size_t group) const;  // optimizer_states[0].param_groups[1]
  std::string state_path(const Tree& tree, NodeId id) const;
};
// Empty for files that no Trainer wrote. One walk over the states, groups and ids of all of them is linear in
// the size of the tree: a file that lists one state a million times is listed only until that is used up.
std::vector<OptimizerAt> optimizers_of(const Context& context);

// How an id of `params` or a key of `state` is spelled: ints in the Trainer's files, names in Fabric's full
// FSDP files.
std::string id_text(const Tree& tree, NodeId id);
// The first group that has each id.
std::map<std::string, std::size_t> groups_by_id(const Tree& tree, const OptimizerAt& optimizer);

struct ScalerAt {
  std::string path;
  NodeId node = kNoNode;
};
// States of torch.amp.GradScaler: found by their fields. The key is the precision plugin's class name
// and changed four times since 1.6. One of the fields may be missing.
std::vector<ScalerAt> scalers_of(const Tree& tree);

struct SchedulerAt {
  std::string path;  // lr_schedulers[0], lr_schedulers[0]._schedulers[1]
  NodeId node = kNoNode;
  std::size_t top = 0;     // index of the scheduler that it belongs to
  bool composite = false;  // SequentialLR, ChainedScheduler: others follow
};
// Schedulers in document order, each followed by those inside of it (one level: torch does not nest deeper).
std::vector<SchedulerAt> schedulers_of(const Context& context);

// True where a group trains with `key` (capturable, fused): present and neither False nor None nor 0.
bool is_set(const Tree& tree, NodeId group, std::string_view key);

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

// Before 1.6 `epoch` was the next one; the number of epochs that are certainly done, and the same plus one.
struct EpochsDone {
  double low = 0, high = 0;
};
std::optional<EpochsDone> epochs_done(const Context& context);

}  // namespace ckpt::lint
