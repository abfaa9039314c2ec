// A checkpoint as lines of text that a text diff can compare (git's textconv).
#pragma once

#include <memory>
#include <ostream>

#include "training/opened.h"

namespace ckpt::show {

// One line for each tensor (dtype, shape, statistics, the start of its SHA-256), for each value and for each
// import, by path. Nothing depends on what the file is called, how large it is, how its container is laid
// out, or on the terminal: equal contents give equal lines. Requires input->file. Throws Error if a tensor's
// bytes cannot be read.
void write_textconv(const std::shared_ptr<const Opened>& input, std::size_t jobs, std::ostream& out);

}  // namespace ckpt::show
