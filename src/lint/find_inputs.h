// What to lint: files, folders of checkpoints, patterns.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "report/report.h"

namespace ckpt::lint {

struct Input {
  std::string path;
  std::optional<Error> failure;  // a folder that cannot be listed
  std::string place = {};        // the path that decides which rules are for it; empty: `path`

  const std::string& rules_for() const { return place.empty() ? path : place; }
};

struct Found {
  std::vector<Input> inputs;
  std::vector<std::string> excluded;
  std::vector<report::NotRead> not_read;  // in folders: what may hold weights or pickles, but is not read
  std::vector<report::Trouble> no_match;  // operands that stand for nothing
};

// Is the file passed over? `named`: it was named, not found in a folder or by a pattern.
using Excludes = std::function<bool(const std::string& path, bool named)>;

// Files as given. A folder becomes all checkpoints below it, in name order: what is called like one that is
// read, and what is one by its first bytes, whatever it is called. A pattern (with * or ?, unless a file has
// exactly that name) becomes the files that it matches. Links to folders are followed, each folder once; .git
// is skipped. A folder that is one checkpoint (.metadata, the ranks of DeepSpeed) is one input. Duplicates
// are dropped. An operand of which nothing is left is in `no_match`.
Found find_inputs(const std::vector<std::string>& operands, const Excludes& excludes = {});

// ".ckpt .pt ...": what checkpoints that are read are called.
std::string checkpoint_extensions();

// True for the name of a checkpoint, a model or a pickle in any format: nothing that a report may replace.
bool is_model_name(const std::string& path);

}  // namespace ckpt::lint
