// Pickles inside of a checkpoint that torch does not read: in bytes, in tensors of bytes, in records that
// nothing refers to, behind STOP. A second load by some program runs them.
#pragma once

#include <string>
#include <vector>

#include "base/limits.h"
#include "checkpoint/checkpoint.h"

namespace ckpt {

struct NestedPickle {
  std::string place;    // a path of the tree, or the name of a record
  bool record = false;  // the latter, or bytes behind what torch reads: no value of the checkpoint
  std::string what;     // "a pickle of protocol 0", "a torch-zip checkpoint", "a zip archive"
  CheckpointPtr file;   // its tree and imports; null for an archive that is no checkpoint
};

// At most a screenful. Reads the first bytes of all records and storages of bytes; throws if they cannot be
// read.
std::vector<NestedPickle> find_nested_pickles(const Checkpoint& checkpoint, const Limits& limits = {});

}  // namespace ckpt
