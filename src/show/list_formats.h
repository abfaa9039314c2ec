// ckpt-show --list-formats and its like: what the programs read.
#pragma once

#include <string>

namespace ckpt::show {

// A table with a line per format, and below it what is named and refused.
std::string list_formats();

// The same as Markdown. A test holds README to it.
std::string list_formats_markdown();

}  // namespace ckpt::show
