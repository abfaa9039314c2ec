// From pickled calls to tensors: persistent ids become storages, torch's _rebuild_* calls become tensor
// records. Shared by all torch formats. Nothing is called: the calls are recognised by name, their
// arguments are checked, and what does not fit stays a plain object, with a defect.
// Source: torch/_utils.py, torch/_tensor.py, torch/storage.py, torch/serialization.py.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "base/limits.h"
#include "checkpoint/checkpoint.h"

namespace ckpt::formats {

// Where the bytes of a storage key are; `bytes` may be null (a record that cannot be read: see `problem`).
struct StorageBytes {
  io::SourcePtr bytes;
  std::uint64_t offset = 0;  // in the checkpoint file, if in_place
  std::uint64_t size = 0;
  bool in_place = false;
  std::optional<std::uint32_t> crc32;
  std::string problem;  // why there are no bytes
};
using FindStorage = std::function<std::optional<StorageBytes>(std::string_view key)>;

// The pickle whose persistent ids and calls are meant.
struct RebuildScope {
  value::NodeId first = 0;  // its nodes are those of the tree from this one on
  std::uint32_t part = 0;   // the file in which its storages are
  bool big_endian = false;
  bool legacy = false;  // torch.save before 1.6: persistent ids have a sixth element
};

// Turns every kPersistent node of the scope into a storage and every rebuild call into a tensor, in place,
// and fills out.storages, out.tensor_records, out.defects.
void rebuild_tensors(Checkpoint& out, const RebuildScope& scope, const FindStorage& find,
                     const Limits& limits);

}  // namespace ckpt::formats
