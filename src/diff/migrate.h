// Lightning's own migrations (pytorch/utilities/migration/migration.py), applied to a side's view, so
// that files of two versions are compared by content, not by where a version keeps it. The file
// itself is unchanged.
//
// What Lightning derives (loop counters from epoch and global_step, 1.6.0 and 1.6.5) and what it fills with
// zeros is not invented here: the comparison leaves out what only the newer file records (see `unrecorded`).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diff/side.h"
#include "training/items.h"
#include "training/sections.h"

namespace ckpt::diff {

struct Migration {
  training::Version from, to;
  std::vector<std::string> done;  // "loops moved to the layout of 2.0.0 (28 places)", in the order applied
  bool any() const { return !done.empty(); }
};

// Brings `side` to the layout of `to`. Does nothing if the side is not a Trainer's file, or not older.
Migration migrate(Side& side, const training::Version& to);

// True if a file of version `version` could not have held this (migrated) path: a later
// one began to record it.
bool unrecorded(const training::Version& version, training::Section section, std::string_view path);

}  // namespace ckpt::diff
