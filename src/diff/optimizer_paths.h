// The paths of an optimizer's values, taken apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "training/items.h"

namespace ckpt::diff {

// LIST[INDEX]REST
struct ListPath {
  std::uint32_t index = 0;
  std::string_view rest;
};
std::optional<ListPath> index_below(std::string_view path, std::string_view list);

// The rest of .KEYREST; of KEYREST where the optimizer is the whole file.
std::optional<std::string_view> after_key(std::string_view path, std::string_view key);

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

// As it is spelled in paths, without the brackets.
std::string id_in_path(const value::Tree& tree, value::NodeId id);

}  // namespace ckpt::diff
