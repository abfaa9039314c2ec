// Imports that have no business in a checkpoint, called or not. A list of bad names is never complete: what
// is called is judged by a list of good ones (known_calls.h), and everything outside torch's allow-list is a
// finding of security-not-weights-only-loadable anyway.
#pragma once

#include <string>
#include <string_view>

namespace ckpt::lint {

// What makes `module`.`name` dangerous: a kind of the check dangerous-global ("system", "path-method", ...),
// or
// "". Module and name as the stream spells them, with Python 2's names mapped.
std::string_view danger_of(std::string_view module, std::string_view name);

// True for a global that is a module at run time ("torch" "hub"), so that getattr on it reaches functions.
// Healthy files pass classes and their methods to getattr (OneCycleLR, enums).
bool names_a_module(std::string_view module, std::string_view name);

// Attributes that lead from any object to the interpreter: __globals__, __subclasses__ ...
bool is_escape_attribute(std::string_view name);

}  // namespace ckpt::lint
