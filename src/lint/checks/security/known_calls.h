// What healthy checkpoints call. A list of bad names cannot win: torch alone has a hundred functions that
// reach an executing call. So a call of anything that every reader of checkpoints has installed (Python's own
// modules, torch, numpy, Lightning) is a finding unless it is on this list; projects' own names are judged by
// torch's allow-list (security-not-weights-only-loadable).
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace ckpt::lint {

// True for modules that are there wherever a checkpoint is loaded.
bool is_library(std::string_view module);

// True for the rebuild functions and the constructors that picklers write. `name` may be dotted.
bool is_known_call(std::string_view module, std::string_view name);

// The position of an argument that the callee calls in turn: _rebuild_from_type_v2(func, ...).
std::optional<std::size_t> called_argument(std::string_view module, std::string_view name);

// True for what is spelled like a function and is not a class that is known to be spelled like one.
bool is_function_name(std::string_view module, std::string_view name);

// True for functions that configurations name and partials hold: activations, initializers, mathematics.
bool is_plain_function(std::string_view module, std::string_view name);

}  // namespace ckpt::lint
