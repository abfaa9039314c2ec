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
#include <vector>

#include "diff/side.h"

namespace ckpt::diff {

enum class NamedBy : std::uint8_t {
  kNothing,  // no state_dict, or groups that cannot be read
  kKeys,     // the ids are names already (Fabric, FSDP)
  kParamNames,
  kOrder,      // order and shapes leave one possibility
  kAmbiguous,  // they leave several: compared by id
};

struct OptimizerParams {
  std::string path;  // of the optimizer
  NamedBy named_by = NamedBy::kNothing;
  std::string why;                               // kAmbiguous: the reason
  std::vector<std::vector<std::string>> groups;  // the ids of each group, as spelled in paths ("3", "\"w\"")
  std::unordered_map<std::string, std::string_view> names;  // id -> the weight's key in the comparison
  bool known() const { return named_by != NamedBy::kNothing && named_by != NamedBy::kAmbiguous; }
};

// One per optimizer of the file.
std::vector<OptimizerParams> name_parameters(Side& side);

// For optimizers that every side knows by name, keys states by name instead of id, and removes
// the lists of ids from the comparison (compare them as groups of names). `params` is one vector per side.
void use_names(std::span<Side> sides, std::span<const std::vector<OptimizerParams>> params);

// True if optimizer `index` of all sides (those that have it) is compared by name: it lies at the same place
// in all of them, or is the only one.
bool named_everywhere(std::span<const std::vector<OptimizerParams>> params, std::size_t index);

// Where an optimizer's values are: its number among those of the file, and the path below it. Of any path
// that lies in an optimizer of `side`'s file.
struct OptimizerPath {
  std::uint32_t index = 0;
  std::string_view rest;  // ".state[3].exp_avg"
};
std::optional<OptimizerPath> parse_optimizer_path(const training::Items& items, std::string_view path);

// OPTIMIZER.state[ID]REST
struct StatePath {
  std::uint32_t optimizer = 0;
  std::string id;         // as spelled in brackets: "3", "\"a.b\""
  std::string_view rest;  // ".exp_avg"
};
std::optional<StatePath> parse_state_path(const training::Items& items, std::string_view path);

// Separates name and field in a key of Space::kOptimizerState.
inline constexpr char kFieldMark = '\x1f';

}  // namespace ckpt::diff
