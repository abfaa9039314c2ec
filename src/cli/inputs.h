// The inputs of a program: opened, and their troubles reported on stderr.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "training/opened.h"

namespace ckpt::cli {

using OpenedPtr = std::shared_ptr<const Opened>;

// Opens `path`, any operand (operands/operands.h); complains on stderr if it cannot be read, or only in part.
// The other one opens all of them at a time, on up to `jobs` threads, and complains in order; those that are
// not among the `typed` operands, but in a folder that is, are nothing but paths.
std::vector<OpenedPtr> open_and_complain(const std::string& program, const std::vector<std::string>& paths,
                                         std::size_t jobs, const std::vector<std::string>& typed);
OpenedPtr open_and_complain(const std::string& program, const std::string& path);

// kTrouble, with a complaint, if the file changed while it was being read.
int check_unchanged(const std::string& program, const Opened& input);

// Runs a program's body: an exception becomes one line on stderr and status 2; SIGPIPE
// and SIGXFSZ are ignored.
int guarded(const std::string& program, int (*body)(int, const char* const*), int argc,
            const char* const* argv);

}  // namespace ckpt::cli
