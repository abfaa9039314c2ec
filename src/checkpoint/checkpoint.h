// WAIST 1: every format ends in a Checkpoint; diff, lint and show start from one. It is const after
// open_checkpoint() and may be read from any thread. Tensor bytes stay in the file until they are read.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "io/byte_source.h"
#include "pickle/machine.h"
#include "tensor/tensor_view.h"
#include "value/tree.h"

namespace ckpt {

// Wrong but readable. `code` is kebab-case and stable: rules claim codes (check `defect`), every code has
// exactly one rule. The whole list is in checkpoint/defect_codes.h.
struct Defect {
  std::string code;
  std::string path;                     // a path of the tree, or a record name; may be empty
  std::string text;                     // one line, untrusted text quoted
  std::optional<std::uint64_t> offset;  // in the file
  std::uint32_t part = 0;               // which file: index into Checkpoint::parts
};

// A file of the checkpoint: the one that the user named, or one of the folder.
struct Part {
  std::string name;  // below the folder; empty: what the user named is this file
  std::uint64_t size = 0;
};

// What a tensor node of the tree represents.
struct TensorRecord {
  tensor::TensorView view;
  std::string layout = "strided";  // "sparse_coo", "sparse_csr", "nested", "dtensor", "uninitialized" ...
  std::string subclass;            // "torch.nn.parameter.Parameter", ...; empty for torch.Tensor
  std::vector<std::pair<std::string, value::NodeId>> parts;  // indices, values, scales, local ...
};

// A tensor at a place. The same record may be at several places (shared objects).
struct TensorEntry {
  std::string path;          // state_dict["encoder.0.weight"]
  std::uint32_t record = 0;  // index into tensor_records()
  bool part = false;         // a component (<indices>) of the tensor entry before it
};

// A file inside the container.
struct Record {
  std::string name;
  std::uint64_t size = 0;
  bool stored = true;
  io::SourcePtr bytes;                 // null if they cannot be read
  std::optional<std::uint32_t> crc32;  // as in tensor::Storage
};

struct Checkpoint {
  std::string path;                             // as the user named it
  std::string format;                           // "torch-zip"
  bool only_weights = false, unshared = false;  // what the format cannot hold: see Format
  // Keys of the root under which the format tells of itself (its ranks, its settings), not of the training.
  std::vector<std::string> own_keys;
  std::uint64_t file_size = 0;  // of all parts
  std::vector<Part> parts;      // at least one
  value::Tree tree;
  std::vector<tensor::Storage> storages;
  std::vector<TensorRecord> tensor_records;
  std::vector<TensorEntry> entries;  // every tensor of the tree, in document order
  std::vector<Record> records;       // container entries other than storages
  std::vector<Record> leftovers;     // bytes behind what torch reads: after STOP, after the last storage
  std::vector<pickle::Import> imports;
  std::bitset<256> opcodes;
  int pickle_protocol = 0;
  std::uint64_t pickle_size = 0;  // of all pickles together
  std::string byte_order = "little";
  std::vector<Defect> defects;
  // Defects of tensor records, until the walk knows their paths and moves them to `defects`.
  std::vector<std::pair<std::uint32_t, Defect>> record_defects;
  bool complete = true;                // false: a limit or a broken stream left something unread (status 2)
  std::vector<io::SourcePtr> sources;  // of the parts, in their order

  const TensorRecord& record_of(const TensorEntry& e) const { return tensor_records[e.record]; }
  // Empty for the file that the user named.
  std::string_view part_name(std::uint32_t part) const {
    return part < parts.size() ? std::string_view(parts[part].name) : std::string_view();
  }
  // Adds a part; its index.
  std::uint32_t add_part(std::string name, std::uint64_t size) {
    parts.push_back({std::move(name), size});
    file_size += size;
    return static_cast<std::uint32_t>(parts.size() - 1);
  }
};

using CheckpointPtr = std::shared_ptr<const Checkpoint>;

}  // namespace ckpt
