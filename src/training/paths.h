// The steps of a path (value/path.h) as keys of the file. Private to training/.
#pragma once

#include <string>
#include <string_view>

namespace ckpt::training {

// The first component as it is spelled, without ["..."] around it.
std::string_view first_component(std::string_view path);

// The inverse of base/text quote() for the simple escapes that real names contain.
std::string unquote(std::string_view quoted);

inline std::string first_key(std::string_view path) { return unquote(first_component(path)); }

// The first step of a path that may go on from another one: ".name", "[3]", "[\"a.b\"]".
std::string_view first_step(std::string_view path);
// The key of such a step: name, 3, a.b.
std::string key_of_step(std::string_view step);

// The key that a path ends with; for an element of a list, that of the list. "" of the root.
std::string last_key(std::string_view path);

}  // namespace ckpt::training
