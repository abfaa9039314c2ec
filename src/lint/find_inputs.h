// What is to be judged: files, folders with checkpoints in them, patterns.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace ckpt::lint {

struct Input {
  std::string path;
  std::optional<Error> failure;  // there is nothing to open: an empty folder, a pattern that matches nothing
};

// Files as they were named; a folder becomes the checkpoints in it and in its folders, by extension and in
// name order, a pattern (with * or ?, where no file has that very name) the files that it matches. Links to
// folders are followed, into each folder once; .git is left out. A sharded checkpoint (a folder with
// .metadata or latest in it) is one input. What is found twice is listed once. Nothing is read but folders.
std::vector<Input> find_inputs(const std::vector<std::string>& operands);

// ".ckpt .pt ...": what a checkpoint in a folder is called.
std::string checkpoint_extensions();

}  // namespace ckpt::lint
