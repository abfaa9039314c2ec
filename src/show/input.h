// An input as every report names it, and what is wrong with it in words.
#pragma once

#include <string>

#include "report/report.h"
#include "training/opened.h"

namespace ckpt::show {

// How the report names it.
report::Input describe_input(const Opened& input, report::Role role);

// Why the input was not read, or not to its end; "" if it was.
std::string trouble_of(const Opened& input);

// What changed in the file while it was being read; "" if nothing did.
std::string change_of(const Opened& input);

// kTrouble for an input that could not be read or not to its end, else kClean.
int status_of(const Opened& input);

}  // namespace ckpt::show
