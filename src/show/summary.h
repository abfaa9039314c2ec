// A checkpoint in one line.
#pragma once

#include <string>

#include "training/opened.h"

namespace ckpt::show {

// "Lightning 2.6.5 · epoch 4 · step 3200 · 1.2 GiB": what follows a file's name in every program.
std::string describe(const Opened& input);

}  // namespace ckpt::show
