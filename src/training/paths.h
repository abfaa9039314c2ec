// The beginning of a path (value/path.h) as a key of the file. Private to training/.
#pragma once

#include <string>
#include <string_view>

namespace ckpt::training {

// The first component as it is spelled, without ["..."] around it.
std::string_view first_component(std::string_view path);

// The inverse of base/text quote() for the simple escapes that real names contain.
std::string unquote(std::string_view quoted);

inline std::string first_key(std::string_view path) { return unquote(first_component(path)); }

}  // namespace ckpt::training
