// The optimizers of a file: entries of optimizer_states, or what has the form of one, each as
// torch/optim/optimizer.py, state_dict has it:
// {"state": {id: {...}}, "param_groups": [{"params": [id, ...], "lr": ..., ...}]}.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "training/items.h"

namespace ckpt::training {

// An entry of param_groups. Everything may be missing or of another kind.
struct ParamGroup {
  NodeId node = kNoNode;
  NodeId params = kNoNode;  // a list, if the file is whole
  NodeId names = kNoNode;   // param_names: since torch 2.6, for optimizers that were given named parameters
  std::span<const NodeId> ids;  // elements of `params`
};

struct Optimizer {
  std::string path;  // optimizer_states[0], g_optim
  NodeId node = kNoNode;
  std::string type;              // see optimizer_type
  NodeId state = kNoNode;        // a mapping from ids, or anything
  NodeId groups_node = kNoNode;  // param_groups, a list or anything
  std::vector<ParamGroup> groups;
  std::size_t parameters = 0;  // ids in all groups
  std::size_t states = 0;      // items of `state`
  // The state_dicts that have its parameters: indexes into Items::state_dicts (models.h).
  std::vector<std::size_t> models;

  std::string groups_path() const;                                   // optimizer_states[0].param_groups
  std::string group_path(std::size_t group) const;                   // ...param_groups[1]
  std::string states_path() const;                                   // optimizer_states[0].state
  std::string state_path(const value::Tree& tree, NodeId id) const;  // optimizer_states[0].state[3]
};

// One per entry of a Trainer's optimizer_states, a broken one, too; of other files what has the form. Linear
// in the size of the tree: so is one walk over the states, groups and ids of all of them; a file that lists
// one state a million times is listed only until that is used up.
std::vector<Optimizer> read_optimizers(const value::Tree& tree, const Items& items);

// The step of the first parameter that has state; nullopt where it has none that can be read.
std::optional<double> first_step(const Checkpoint& file, const Optimizer& optimizer);

// The first tensor of a parameter's state that torch.optim makes with zeros_like(parameter): it has the
// parameter's shape and dtype. Null where there is none.
const tensor::TensorView* first_moment(const Checkpoint& file, NodeId state);

// How an id of `params` or a key of `state` is spelled: ints in the Trainer's files, names in Fabric's full
// FSDP files.
std::string id_text(const value::Tree& tree, NodeId id);
// The first group that has each id.
std::map<std::string, std::size_t> groups_by_id(const value::Tree& tree, const Optimizer& optimizer);

// True where a group trains with `key` (capturable, fused): present and neither False nor None nor 0.
bool is_set(const value::Tree& tree, NodeId group, std::string_view key);

}  // namespace ckpt::training
