// What to lint: files, folders of checkpoints, patterns.
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

// Files as given; a folder becomes all checkpoints below it, by extension and in name order, a pattern (with
// * or ?, unless a file has exactly that name) the files that it matches. Links to folders are followed, each
// folder once; .git is skipped. A sharded checkpoint (a folder with .metadata or latest in it) is one input.
// Duplicates are dropped. Reads nothing but folders.
std::vector<Input> find_inputs(const std::vector<std::string>& operands);

// ".ckpt .pt ...": the file extensions of checkpoints in a folder.
std::string checkpoint_extensions();

}  // namespace ckpt::lint
