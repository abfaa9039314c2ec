// Imports that have no business in a checkpoint. A deny list is never complete: everything outside of torch's
// allow-list is a finding of security-not-weights-only-loadable anyway; this list says
// which ones are alarming.
#pragma once

#include <string>
#include <string_view>

namespace ckpt::lint {

// Why `module`.`name` is dangerous, or "". Module and name as the stream spells them,
// Python 2's names mapped.
std::string why_dangerous(std::string_view module, std::string_view name);

// True for a global that names a module at run time ("torch" "hub"), so that getattr on it reaches functions.
// Classes and their methods (OneCycleLR, enums) are what healthy files pass to getattr.
bool names_a_module(std::string_view module, std::string_view name);

// Attributes that lead from any object to the interpreter: __globals__, __subclasses__ ...
bool is_escape_attribute(std::string_view name);

}  // namespace ckpt::lint
