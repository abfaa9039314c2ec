// Which weight is which of an optimizer's parameters. A checkpoint numbers them (torch/optim/optimizer.py,
// state_dict: ids count over the groups in order); since torch 2.6 it may name them as well (`param_names`).
// Otherwise the order of the state_dict and the shapes of the state decide; if they are ambiguous, nothing is
// guessed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "diff/optimizer_paths.h"
#include "diff/side.h"

namespace ckpt::diff {

// From sure to unsure.
enum class NamedBy : std::uint8_t {
  kNothing,  // no state_dict, or groups that cannot be read
  kKeys,     // the ids are names already (Fabric, FSDP)
  kParamNames,
  kCallback,   // by a finetuning callback, which keeps the names of its groups
  kOrder,      // order and shapes leave one possibility
  kMovement,   // with what moved since the base: only trained weights did
  kMoments,    // by their moments, which are like those of one parameter of the other file
  kAmbiguous,  // several are left
};

using Shape = std::vector<std::int64_t>;
using Names = std::unordered_set<std::string_view>;

struct ParamState {
  value::NodeId node = value::kNoNode;
  const Shape* shape = nullptr;  // of what is kept for each element, and so of the weight; null: unknown
};

struct OptimizerParams {
  std::string path;  // of the optimizer
  std::string
      place;  // the same of every file that has it there; a Trainer's are counted, whatever their paths
  NamedBy named_by = NamedBy::kNothing;
  std::string why;                               // kAmbiguous: the reason
  std::vector<std::vector<std::string>> groups;  // the ids of each group, as spelled in paths ("3", "\"w\"")
  std::unordered_map<std::string, std::string_view> names;  // id -> the weight's key in the comparison
  std::unordered_map<std::string, ParamState> states;       // id -> its state, if it has any
  // Ids whose state is by its moments that of another id of the base, and which.
  std::unordered_map<std::string, std::string> exchanged;
  bool repeats = false;      // an id is listed twice
  std::size_t unproven = 0;  // kOrder: parameters of one shape, of which nothing proves the order
  bool known() const { return named_by != NamedBy::kNothing && named_by != NamedBy::kAmbiguous; }
};

// One per optimizer of the file. `still`: keys of weights that no parameter with moments can be.
std::vector<OptimizerParams> name_parameters(Side& side, const Names& still = {});

// One vector per side.
using AllParams = std::span<const std::vector<OptimizerParams>>;

// True if one group has the ids of the other, with state of the same shapes: an id is the same parameter in
// both, as far as anybody can tell.
bool same_layout(const OptimizerParams& a, const OptimizerParams& b);

// How the states of one optimizer are compared: that of an index is the same one if it is at the same place
// in all files, or the only one of each.
enum class StateKeys : std::uint8_t {
  kNames,  // every side knows all of them by name
  kIds,    // not so, but ids, groups and shapes are the same: what one id is here, it is there
  kSome,   // neither: those with names are compared, the others are not
};
StateKeys state_keys(AllParams params, std::size_t index);

// True if all sides have groups of the same sizes.
bool same_group_sizes(AllParams params, std::size_t index);

// Keys states by name instead of id as state_keys says, and removes what a list of names says better
// (structure.h): lists of ids of different lengths, lists of names that both sides have, and the state of
// nobody knows whom. Returns how many states are not compared: per side, per optimizer.
std::vector<std::vector<std::size_t>> use_names(std::span<Side> sides, AllParams params);

// Separates name and field in a key of Space::kOptimizerState.
inline constexpr char kFieldMark = '\x1f';

}  // namespace ckpt::diff
