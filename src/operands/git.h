// Git, asked through its plumbing: nothing it is told is read by a shell, nothing of the repository is
// changed.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/limits.h"

namespace ckpt::operands {

struct GitAnswer {
  int status = 0;
  std::string out;  // without the last newline
  std::string err;  // as git says it, in one line, without "fatal:"
};

// `git ARGUMENTS...` in `folder` ("": the current one). Throws kIo if git is not installed.
GitAnswer ask_git(std::vector<std::string> arguments, const Limits& limits, const std::string& folder = "");

// For an error about a file that would be looked for in git.
[[noreturn]] void fail_git(const GitAnswer& answer);

// A word for a shell: as it is, or in single quotes.
std::string shell_word(const std::string& text);

}  // namespace ckpt::operands
