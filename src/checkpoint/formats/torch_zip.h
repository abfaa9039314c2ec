// What torch.save has written since torch 1.6: a zip of data.pkl, one record per storage, and a few small
// records. Source: torch/serialization.py, caffe2/serialize/inline_container.cc.
#pragma once

#include <cstdint>

#include "checkpoint/format.h"

namespace ckpt::formats {

extern const Format kTorchZip;

// One archive: a whole file, or a range of one.
struct TorchArchive {
  io::SourcePtr bytes;
  std::uint32_t part = 0;    // the file
  std::uint64_t offset = 0;  // where the archive begins in it
  bool list_records = true;  // in out.records; false for archives of one value each
};

// Reads the object that torch.save wrote into out.tree, its tensors and everything that is wrong with the
// archive. Returns the object's node, kNoNode if the pickle broke (out.complete is false then). Entries are
// not collected: see collect_entries. Throws Error if this is no torch archive.
value::NodeId read_torch_archive(const TorchArchive& archive, const Limits& limits, Checkpoint& out);

// Fills out.entries; exceeding a limit of the tree is a defect, and what was reached stays.
void index_tensors(Checkpoint& out, const Limits& limits);

}  // namespace ckpt::formats
